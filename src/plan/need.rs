//! What is asked of the plan: requests, their tokens, limits on latency, and what must not stop.

pub use crate::workload::Use;

/// Default limits of a use, at the 95th percentile: the upper ends of the ranges that llm-d-planner takes
/// for it; those of agents are our own.
pub const fn limits(purpose: Use) -> Limits {
    let (ttft, tpot) = match purpose {
        Use::Chat => (500.0, 50.0),
        Use::Code => (200.0, 35.0),
        Use::Rag => (1200.0, 60.0),
        Use::Documents => (3000.0, 70.0),
        Use::Agent => (2000.0, 50.0),
        Use::Batch => return Limits { ttft_ms: None, tpot_ms: None, e2e_ms: None },
    };
    Limits { ttft_ms: Some(ttft), tpot_ms: Some(tpot), e2e_ms: None }
}

/// Where the default limits of a use come from.
pub const fn limits_source(purpose: Use) -> &'static str {
    match purpose {
        Use::Agent => "our own: a step of an agent is waited for, but not watched",
        Use::Batch => "nobody waits",
        _ => "llm-d-planner, upper end of its range for this use",
    }
}

/// Mean seconds from one request of a conversation to the next: how long a prefix must be kept to be of
/// use. Estimates without a source: a person reads and writes in between, a program does not.
pub const fn gap_seconds(purpose: Use) -> f64 {
    match purpose {
        Use::Chat | Use::Rag => 60.0,
        Use::Documents => 120.0,
        Use::Code => 20.0,
        Use::Agent | Use::Batch => 10.0,
    }
}

/// Limits on latency at the 95th percentile, milliseconds; `None`: no limit.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Limits {
    /// Wait for the first token.
    pub ttft_ms: Option<f64>,
    /// Wait for each further one.
    pub tpot_ms: Option<f64>,
    /// Wait for the whole answer.
    pub e2e_ms: Option<f64>,
}

impl Limits {
    /// These limits, with those of `other` where one is absent.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            ttft_ms: self.ttft_ms.or(other.ttft_ms),
            tpot_ms: self.tpot_ms.or(other.tpot_ms),
            e2e_ms: self.e2e_ms.or(other.e2e_ms),
        }
    }
    /// Of each limit the stricter of the two.
    #[must_use]
    pub fn stricter(self, other: Self) -> Self {
        let min = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        Self {
            ttft_ms: min(self.ttft_ms, other.ttft_ms),
            tpot_ms: min(self.tpot_ms, other.tpot_ms),
            e2e_ms: min(self.e2e_ms, other.e2e_ms),
        }
    }
    pub const fn none(self) -> bool {
        self.ttft_ms.is_none() && self.tpot_ms.is_none() && self.e2e_ms.is_none()
    }
}

/// Tokens of a request: the mean, and the 95th percentile.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tokens {
    pub mean: f64,
    pub p95: f64,
}

impl Tokens {
    /// Every request has so many.
    pub const fn exactly(tokens: f64) -> Self {
        Self { mean: tokens, p95: tokens }
    }
}

/// Requests of each hour of a week as a multiple of the mean hour, Monday 0:00 first.
pub type HourOfWeek = [f64; 168];

/// Work that nobody waits for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Batch {
    pub requests: f64,
    /// Hours within which all of them must be done.
    pub deadline_hours: f64,
}

/// What a plan must carry.
#[derive(Debug, Clone, PartialEq)]
pub struct Need {
    /// What it is called, where there are several.
    pub name: String,
    pub use_: Use,
    /// Requests per second, mean over all hours.
    pub mean_rate: f64,
    /// Requests per second in the busiest time.
    pub peak_rate: f64,
    pub input: Tokens,
    pub output: Tokens,
    /// Tokens of the longest request that must fit into memory, where that is longer than the 95th
    /// percentile that the limits are checked at.
    pub longest: Option<f64>,
    /// Share of the input, 0 to 1, that was in an earlier request of the same conversation or is the same
    /// in all of them: a prefix cache can hold at most this.
    pub repeated_share: f64,
    /// Seconds from one request of a conversation to the next.
    pub gap_seconds: f64,
    pub limits: Limits,
    /// The service must go on when one host fails.
    pub must_stay_up: bool,
    /// Work that may wait until a deadline; the rates above are then not used.
    pub batch: Option<Batch>,
    /// Load by hour of the week, where it is known; several needs are added up by it. Its highest value
    /// times `mean_rate` is the rate of the busiest hour.
    pub hours: Option<Box<HourOfWeek>>,
}

impl Need {
    /// A need by its rates and tokens, with the limits and the gap of its use.
    pub fn new(use_: Use, mean_rate: f64, peak_rate: f64, input: Tokens, output: Tokens) -> Self {
        Self {
            name: String::new(),
            use_,
            mean_rate,
            peak_rate: peak_rate.max(mean_rate),
            input,
            output,
            longest: None,
            repeated_share: 0.0,
            gap_seconds: gap_seconds(use_),
            limits: limits(use_),
            must_stay_up: false,
            batch: None,
            hours: None,
        }
    }

    /// Requests per second that must be carried: the peak, or what the deadline asks for.
    pub fn rate(&self) -> f64 {
        match self.batch {
            Some(batch) => batch.requests / (batch.deadline_hours.max(1e-6) * 3600.0),
            None => self.peak_rate,
        }
    }
    /// Requests per second in an hour of the week (0 is Monday 0:00); the peak where the hours are not
    /// known.
    pub fn rate_at(&self, hour: usize) -> f64 {
        match &self.hours {
            Some(hours) => self.mean_rate * hours[hour % 168],
            None => self.peak_rate,
        }
    }

    /// This need with a share of its requests, at all hours alike.
    #[must_use]
    pub fn times(&self, share: f64) -> Self {
        let batch = self.batch.map(|b| Batch { requests: b.requests * share, ..b });
        Self { mean_rate: self.mean_rate * share, peak_rate: self.peak_rate * share, batch, ..self.clone() }
    }

    /// Two needs served by the same replicas of one model: their loads added up hour by hour, tokens
    /// weighted by their shares of the requests, and of each limit the one that is harder to keep. Work
    /// that can wait fills the hours in which the other asks for less than at its peak.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let name = format!("{} + {}", self.name, other.name);
        match (self.batch, other.batch) {
            (Some(a), Some(b)) => {
                let requests = a.requests + b.requests;
                let deadline_hours = requests / ((self.rate() + other.rate()) * 3600.0).max(1e-12);
                Self { batch: Some(Batch { requests, deadline_hours }), name, ..self.added(other) }
            }
            (Some(_), None) => Self { name, ..other.beside(self) },
            (None, Some(_)) => Self { name, ..self.beside(other) },
            (None, None) => Self { name, ..self.added(other) },
        }
    }

    /// This need with work that waits for the quiet hours: at the peak there is none of that work, unless
    /// both together exceed the peak on average.
    fn beside(&self, waits: &Self) -> Self {
        let mean = self.mean_rate + waits.rate();
        let sum = Self { batch: None, ..self.added(&Self { mean_rate: waits.rate(), ..waits.clone() }) };
        let (input, output) =
            if self.peak_rate >= mean { (self.input, self.output) } else { (sum.input, sum.output) };
        Self {
            use_: self.use_,
            mean_rate: mean,
            peak_rate: self.peak_rate.max(mean),
            // The limits are for those who wait for an answer, so their long requests decide.
            input: Tokens { p95: self.input.p95, ..input },
            output: Tokens { p95: self.output.p95, ..output },
            repeated_share: if self.peak_rate >= mean { self.repeated_share } else { sum.repeated_share },
            gap_seconds: self.gap_seconds,
            limits: self.limits,
            ..sum
        }
    }

    fn added(&self, other: &Self) -> Self {
        let mean = self.mean_rate + other.mean_rate;
        let share = if mean > 0.0 { self.mean_rate / mean } else { 0.5 };
        let mix = |a: f64, b: f64| a * share + b * (1.0 - share);
        let by_hour = self.hours.is_some() || other.hours.is_some();
        let hours = (by_hour && mean > 0.0).then(|| {
            let mut sum = [0.0; 168];
            for (hour, to) in sum.iter_mut().enumerate() {
                *to = (self.rate_at(hour) + other.rate_at(hour)) / mean;
            }
            Box::new(sum)
        });
        // Peaks add up only where they fall into the same hour; within that hour each has its own bursts.
        let peak = match &hours {
            Some(sum) => {
                let burst = |n: &Self| {
                    let busiest = (0..168).map(|h| n.rate_at(h)).fold(0.0, f64::max);
                    if busiest > 0.0 { n.peak_rate / busiest } else { 1.0 }
                };
                let busiest = sum.iter().copied().fold(0.0, f64::max) * mean;
                busiest * burst(self).max(burst(other))
            }
            None => self.peak_rate + other.peak_rate,
        };
        // The limit on the first token is hardest where it leaves the least time for each token of a long
        // prompt.
        let per_token = |n: &Self| n.limits.ttft_ms.map_or(f64::INFINITY, |ms| ms / n.input.p95.max(1.0));
        let hardest = if per_token(other) < per_token(self) { other } else { self };
        let long = |n: &Self| n.longest.unwrap_or(0.0).max(n.input.p95 + n.output.p95);
        Self {
            name: String::new(),
            use_: if self.use_ == Use::Batch { other.use_ } else { self.use_ },
            mean_rate: mean,
            peak_rate: peak.min(self.peak_rate + other.peak_rate).max(mean),
            input: Tokens { mean: mix(self.input.mean, other.input.mean), p95: hardest.input.p95 },
            output: Tokens {
                mean: mix(self.output.mean, other.output.mean),
                p95: self.output.p95.max(other.output.p95),
            },
            longest: Some(long(self).max(long(other))),
            repeated_share: mix(self.repeated_share, other.repeated_share),
            gap_seconds: mix(self.gap_seconds, other.gap_seconds),
            limits: Limits { ttft_ms: hardest.limits.ttft_ms, ..self.limits.stricter(other.limits) },
            must_stay_up: self.must_stay_up || other.must_stay_up,
            batch: None,
            hours,
        }
    }
}
