//! Speed under load: how long each of many concurrent requests waits, and how many a second are served.
//!
//! `c` requests are kept in the system: as one ends, the next begins. Each waits for its first token
//! (TTFT), then for each further one (TPOT):
//!
//! ```text
//! TPOT = step(n) + overlap × (n − 1) × prompt ÷ output + mixed passes × launch
//! TTFT = front end + steps waited × step(n) + prompt alone + queue + first wave
//! n    = requests that write = c × output × TPOT ÷ (TTFT + output × TPOT)
//! requests/s = c ÷ (TTFT + output × TPOT)
//! ```
//!
//! While a request writes `output` tokens, `n − 1` others come whose prompts are read in between:
//! the work of a request lies between serial and overlapped, and `overlap` says where. More requests
//! than memory holds are not an error: they wait outside, and their wait belongs to TTFT.

use super::memory::{Load, cache_bytes, cache_copies, cache_room};
use super::quantisation::{KvType, Quantisation};
use super::serving::{Prompt, RatioBand, Server, Step};
use super::shape::{HardwareShape, ModelShape};
use super::speed::Part;

/// Requests and how they come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Traffic {
    /// Tokens of a prompt, mean.
    pub input: f64,
    /// Of `input`, tokens that the engine's prefix cache holds already, mean.
    pub cached: f64,
    /// Tokens of an answer, mean.
    pub output: f64,
    /// Requests in the system at once.
    pub concurrency: f64,
    pub kv: KvType,
    pub arrivals: Arrivals,
}

/// How requests come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Arrivals {
    /// One by one, at random times.
    Steady,
    /// All at once at the beginning, then one as each ends, so many times over: what load tools do
    /// (`InferenceX` ten times). The wait of the first wave is a part of the mean.
    Together { rounds: f64 },
}

/// A likely value and its 80 % band.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    pub low: f64,
    pub likely: f64,
    pub high: f64,
}

impl Spread {
    fn around(likely: f64, by: RatioBand) -> Self {
        Self { low: likely * by.low, likely, high: likely * by.high }
    }
    /// All three times a factor.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        Self { low: self.low * factor, likely: self.likely * factor, high: self.high * factor }
    }
}

/// What each request sees, and all together. Times are seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Served {
    /// Wait for the first token, mean.
    pub ttft: Spread,
    /// Wait for each further token, mean.
    pub tpot: Spread,
    /// Requests per second of all together, with `concurrency` of them in the system all the time.
    pub requests_per_second: Spread,
    /// Requests that memory holds at once, at the mean length.
    pub holds: f64,
    /// Requests of the concurrency that are in memory, mean.
    pub resident: f64,
    /// Of those, the mean number that decode at a time; the prompts of the others are read, or wait.
    pub writing: f64,
    /// One decode step with so many.
    pub step: Step,
    /// One prompt.
    pub prompt: Prompt,
    /// Share of the time in which prompts are read, 0 to 1.
    pub reading_share: f64,
    /// Parts of the mean TTFT beside the prompt itself, seconds: the front end and the steps before its
    /// turn; others' prompts; the first wave; waiting for memory.
    pub front: f64,
    pub queued: f64,
    pub wave: f64,
    pub outside: f64,
}

/// What steps and prompts of a model take on some hardware in one format. Made once, then asked for many
/// loads.
#[derive(Debug, Clone)]
pub struct Pace<'a> {
    kind: Kind<'a>,
    overlap: f64,
    front: f64,
    steps_waited: f64,
    queue: f64,
    first_wave: f64,
    tpot: RatioBand,
    ttft: RatioBand,
    model: &'a ModelShape,
    hardware: &'a HardwareShape,
    room: f64,
    copies: f64,
}

#[derive(Debug, Clone)]
enum Kind<'a> {
    Server(Box<Server>),
    Local(Part<'a>),
}

impl<'a> Pace<'a> {
    /// For the engine that `hardware.backend` names. `None` where the weights do not fit on the devices:
    /// with layers in main memory one serves a single user, not a load.
    pub fn new(
        model: &'a ModelShape,
        hardware: &'a HardwareShape,
        format: &'a Quantisation,
        kv: KvType,
    ) -> Option<Self> {
        let room = cache_room(model, hardware, format)?;
        let copies = cache_copies(model, hardware);
        if let Some(server) = Server::new(model, hardware, format, kv) {
            return Some(Self {
                overlap: server.overlap,
                front: server.front,
                steps_waited: server.steps_waited,
                queue: server.queue,
                first_wave: server.first_wave,
                tpot: server.tpot,
                ttft: server.ttft,
                kind: Kind::Server(Box::new(server)),
                model,
                hardware,
                room,
                copies,
            });
        }
        let part = Part::new(model, hardware, format, kv);
        let e = part.efficiency();
        // The band of a time is the inverse of the band of a speed; wider, since few published rows are of
        // many concurrent requests.
        let tpot = RatioBand { low: 1.0 / (e.decode_high * 1.1), high: 1.1 / e.decode_low };
        let ttft = RatioBand { low: 1.0 / (e.prefill_high * 1.1), high: 1.1 / e.prefill_low };
        Some(Self {
            kind: Kind::Local(part),
            overlap: 1.0,
            front: LOCAL_FRONT,
            steps_waited: 1.0,
            queue: 0.5,
            first_wave: 1.0,
            tpot,
            ttft,
            model,
            hardware,
            room,
            copies,
        })
    }

    /// One decode step of `n` requests at a depth of `context` tokens each.
    pub fn step(&self, n: f64, context: f64) -> Step {
        match &self.kind {
            Kind::Server(server) => server.step(n, context),
            Kind::Local(part) => part.parts(n, context),
        }
    }
    /// Prefill of a prompt of `input` tokens, the first `cached` of which are in the prefix cache.
    pub fn prompt(&self, input: f64, cached: f64) -> Prompt {
        match &self.kind {
            Kind::Server(server) => server.prompt(input, cached),
            Kind::Local(part) => part.prompt(input, cached),
        }
    }

    /// Bytes that keys and values may take beside the weights, on all devices together.
    pub const fn room(&self) -> f64 {
        self.room
    }
    /// Bytes of keys and values of one request of so many tokens, copies on several devices included.
    pub fn held(&self, tokens: f64, kv: KvType) -> f64 {
        // Positive, and far below the limit.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let load = Load { kv, ..Load::new(tokens.clamp(1.0, 1e12) as u64, 1) };
        self.copies * cache_bytes(self.model, self.hardware.backend.engine(), &load)
    }

    /// What each request of this traffic sees, and all together: the formulas above, iterated until they
    /// agree.
    pub fn under(&self, traffic: &Traffic) -> Served {
        let (input, output) = (traffic.input.max(1.0), traffic.output.max(1.0));
        let concurrency = traffic.concurrency.max(1.0);
        let context = input + output / 2.0;
        let holds = (self.room / self.held(context, traffic.kv).max(1.0)).max(1.0);
        let resident = concurrency.min(holds);
        let prompt = self.prompt(input, traffic.cached);
        let wave = match traffic.arrivals {
            Arrivals::Steady => 0.0,
            Arrivals::Together { rounds } => {
                let beside = self.step((resident / 2.0).max(1.0), context).seconds() / 2.0;
                let passes = (input - traffic.cached).max(1.0) / super::serving::PASS_TOKENS;
                let all = resident * (prompt.machine + passes * (prompt.pass + beside));
                self.first_wave * all / 2.0 / rounds.max(1.0)
            }
        };
        let mut writing = (0.9 * resident).max(1.0);
        let mut found = (0.0, 0.0, self.step(1.0, context), 0.0, 0.0, 0.0);
        // Converges in three or four rounds: each of the two times depends weakly on `writing`.
        for _ in 0..6 {
            let step = self.step(writing, context);
            let seconds = step.seconds();
            let arriving = (writing - 1.0).max(0.0) / output;
            let mixed = 1.0 - (-arriving * prompt.passes).exp();
            let tpot = seconds + self.overlap * arriving * prompt.machine + mixed * prompt.pass;
            let reading = (arriving * prompt.machine / tpot).min(0.9);
            let queued = self.queue * prompt.alone * reading / (1.0 - reading);
            let front = self.front + self.steps_waited * seconds;
            let ttft = front + prompt.alone + queued + wave;
            found = (ttft, tpot, step, reading, queued, front);
            let next = (resident * output * tpot / (output * tpot + ttft)).clamp(1.0, resident.max(1.0));
            let settled = (next - writing).abs() <= 1e-3 * writing;
            writing = next;
            if settled {
                break;
            }
        }
        let (ttft, tpot, step, reading_share, queued, front) = found;
        let cycle = ttft + output * tpot;
        let outside = (concurrency - resident).max(0.0) / resident * cycle;
        let rate = concurrency / (cycle + outside);
        // The rate is as uncertain as TPOT where answers are long and as TTFT where they are short.
        let slow = (output * tpot * self.tpot.high + ttft * self.ttft.high) / cycle;
        let fast = (output * tpot * self.tpot.low + ttft * self.ttft.low) / cycle;
        Served {
            ttft: Spread::around(ttft + outside, self.ttft),
            tpot: Spread::around(tpot, self.tpot),
            requests_per_second: Spread { low: rate / slow, likely: rate, high: rate / fast },
            holds,
            resident,
            writing,
            step,
            prompt,
            reading_share,
            front,
            queued,
            wave,
            outside,
        }
    }
}

/// Seconds that the servers of llama.cpp and MLX need before they begin to read a prompt.
const LOCAL_FRONT: f64 = 5e-3;
