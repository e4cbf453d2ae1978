# Thin: each target is a script, for machines without make.
.PHONY: all setup demo test fast

all: setup

setup: ## install what is missing and build
	sh scripts/setup
demo: ## one real decision, end to end
	sh scripts/demo
test: ## every check
	sh scripts/test
fast: ## tests of everything but the local engine
	cargo test --no-default-features
