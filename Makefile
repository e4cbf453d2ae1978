# Thin: each target is a script, for machines without make.
.PHONY: all setup demo test fast lint fuzz prices package test-package test-vulkan test-cuda

all: setup

setup: ## install what is missing and build
	sh scripts/setup
demo: ## one real decision, end to end
	sh scripts/demo
test: ## every check
	sh scripts/test
fast: ## form, lints and tests of everything but the local engine
	sh scripts/fast
lint: ## what needs no build: form, scripts, workflows, dependencies
	sh scripts/lint
fuzz: ## a minute of fuzzing for each reader of foreign bytes
	sh scripts/fuzz
prices: ## make the shipped API prices anew from the newest price packages
	sh scripts/make-prices.sh
package: ## one program with its backends beside it: the layout of a release archive
	sh scripts/package
test-package: ## that layout, tried
	sh scripts/test-package
test-vulkan: ## the GPU path on a software device (a quarter of an hour the first time)
	sh scripts/test-vulkan
test-cuda: ## the CUDA path, built on a machine without CUDA (half an hour and 1 GB the first time)
	sh scripts/test-cuda
