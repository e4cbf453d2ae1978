//! What the need costs with each option: candidates from the catalogue, priced by the cost engine in one
//! scenario, so that `freehold breakeven` with the same inputs gives the same amounts.

use crate::advise::candidate;
use crate::advise::matrix::CapabilityTier;
use crate::advise::options::{Kind, OptionCost, Priced};
use crate::capacity::ModelShape;
use crate::catalog::device::model_of_file;
use crate::catalog::{ApiModel, Buyer, Catalog, OpenModel, Subscription};
use crate::cost::keys::{cloud, hybrid, local};
use crate::cost::{
    self, Basis, BreakEven, Case, Deployment, Drawing, OfferSummary, Pair, ResolveError, Role, Scenario,
    Scratch, Supply, Totals, Values, compare,
};
use crate::spelling::nearest;
use crate::workload::keys::{answers, need};
use crate::workload::{
    Budget, Capability, Evidence, Fields, Given, Modifier, Need, NeedDraft, Range, TargetKind, Use, Value,
};
use jiff::ToSpan as _;
use jiff::civil::Date;

/// The Monte Carlo draws behind every probability.
pub(super) const DRAWING: Drawing = Drawing { count: cost::uncertainty::DEFAULT_DRAWS, seed: 1 };

/// What is asked of the pricing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub catalog: &'a Catalog,
    pub makers: &'a [String],
    pub draft: &'a NeedDraft,
    /// The need, with the answers as evidence and mandates leave them.
    pub need: &'a Need,
    pub tiers: CapabilityTier,
    pub today: Date,
    /// The measurement; its model counts where the catalogue knows it.
    pub evidence: Option<&'a Evidence>,
    /// The draws behind the totals.
    pub drawing: Drawing,
}

impl<'a> Asked<'a> {
    /// The open model that was measured on the user's own machine; `None`: none, or not in the catalogue.
    fn measured_model(&self) -> Option<&'a OpenModel> {
        let target = self.evidence?.targets.iter().find(|t| t.kind == TargetKind::Local)?;
        model_of_file(self.catalog, &target.model)
    }

    /// What prices rest on: with the measurement, where it is of the model that would be run.
    fn basis(&self, comparators: bool) -> Basis<'a> {
        let evidence = self.evidence.filter(|_| self.measured_model().is_some());
        Basis { catalog: self.catalog, evidence, today: self.today, comparators }
    }
}

/// Every option with its cost.
#[derive(Debug)]
pub(super) struct Pricing<'a> {
    pub case: Case,
    pub offers: Vec<OfferSummary>,
    pub options: Vec<Priced>,
    /// The offers of each option, by the index of the option.
    pub behind: Vec<Behind>,
    pub totals: Totals,
    /// Tokens of the longest request that is planned for.
    pub context_tokens: f64,
    /// The scenario that was resolved: `breakeven` gives the same result for it.
    pub scenario: Scenario,
    pub open: Option<&'a OpenModel>,
    /// Number of API models that are capable enough for the need.
    pub capable: usize,
}

/// The offers of the case that an option is made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Behind {
    Offer(usize),
    Split {
        pair: Pair,
        units: u32,
        local_share: f64,
    },
    /// It could not be priced.
    Nothing,
}

/// The values at which the cheapest own option becomes cheaper than the cheapest cloud one.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Turns {
    /// Requests a month above which the own one is cheaper.
    pub requests: Option<f64>,
    /// Price of the API per million tokens above which the own one is cheaper, and today's.
    pub api_usd_per_mtok: Option<(f64, f64)>,
    /// Share of the own option's answers, 0 to 1, that must be good enough, where the others go to the API.
    pub pass_rate: Option<f64>,
    /// US dollars a month that the provider is paid.
    pub usd_per_month: Option<f64>,
}

/// Does the draft have the numbers that a monthly cost depends on: requests, and tokens of a request?
pub(super) fn has_numbers(draft: &NeedDraft) -> bool {
    let shape = draft.has(need::INPUT_TOKENS) && draft.has(need::OUTPUT_TOKENS);
    (draft.has(need::REQUESTS_PER_MONTH) && shape)
        || (draft.has(need::TOKENS_PER_MONTH) && (shape || draft.has(need::INPUT_SHARE)))
}

/// The API models that are rated capable enough, take requests of this size and have a price, each with its
/// price by list.
pub(super) fn capable<'a>(asked: &Asked<'a>) -> Vec<(&'a ApiModel, f64)> {
    let shape = candidate::shape_or_assumed(asked.draft.shape());
    let long = asked.draft.number(need::CONTEXT_TOKENS).unwrap_or(0.0).max(shape.total_tokens());
    let written = shape.output_tokens + shape.reasoning_tokens;
    let holds = |limit: Option<u64>, tokens: f64| limit.is_none_or(|l| tokens <= l as f64);
    let meets = |m: &&ApiModel| {
        m.tier.is_some_and(|t| t <= asked.tiers.cloud)
            && holds(m.context_tokens, long)
            && holds(m.max_output_tokens, written)
            && m.retires.is_none_or(|day| day > asked.today)
    };
    let priced = |m: &'a ApiModel| Some((m, candidate::list_price(m, &shape, asked.today)?));
    let mut found: Vec<(&ApiModel, f64)> =
        asked.catalog.api_models.iter().filter(meets).filter_map(priced).collect();
    found.sort_by(|a, b| a.1.total_cmp(&b.1).then_with(|| a.0.id.cmp(&b.0.id)));
    found
}

/// How many of the cheapest models by list price are priced over the horizon.
const SHORTLIST: usize = 3;

/// Months after which nobody would start with an open model any more.
const MODELS_AGE: i32 = 18;

/// Providers that sell an open model, from which on it counts as in common use.
const COMMON: usize = 3;

/// Prices all options. `None` where the catalogue has no API model that is capable enough; an error where
/// the need itself cannot be computed.
pub(super) fn price<'a>(asked: &Asked<'a>) -> Result<Option<Pricing<'a>>, ResolveError> {
    let capable = capable(asked);
    let Some(api) = cheapest_api(asked, &capable)? else { return Ok(None) };
    let open = cheapest_open(asked, api);
    let seats = seats(asked, &capable);
    let mut scenario = base(asked);
    scenario.cloud.push(Fields::from([(cloud::MODEL.name, text(&api.id))]));
    scenario.cloud.extend(seats.as_ref().map(seat_fields));
    if let Some(open) = open {
        scenario.local.extend(["owned", "rented"].map(|kind| local_fields(open, kind)));
    }
    scenario.hybrid = hybrid_fields(asked);
    let have = open.map(|open| have(asked, open)).transpose()?.flatten();
    let held = have.as_ref().is_some_and(|fields| holds(asked, &scenario, fields));
    scenario.local.extend(have.clone().filter(|_| held));
    let case = resolve_what_can_be(asked, &mut scenario, &capable)?;
    let mut pricing = priced(asked, case, scenario, api, open, seats.as_ref(), capable.len());
    if have.is_some() && !held {
        pricing.options.push(Priced {
            kind: Kind::Have,
            cost: None,
            way: None,
            tier: open.and_then(|m| m.tier),
            predicted: true,
            open_model: true,
            too_small: true,
            personal: false,
            asked: false,
        });
        pricing.behind.push(Behind::Nothing);
    }
    Ok(Some(pricing))
}

/// Hardware that is there already, as the user wrote it: `4x nvidia-h100-sxm-80gb` is one machine with four
/// of them, `2x dgx-spark` is two machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnedHardware<'a> {
    /// How many, 1 or more.
    pub count: u32,
    /// The machine's or the accelerator's id in the catalogue.
    pub id: &'a str,
    /// A complete machine, not accelerators.
    pub machine: bool,
}

/// Reads such a text. Refused where the catalogue does not know the hardware.
pub fn owned<'a>(catalog: &Catalog, written: &'a str) -> Result<OwnedHardware<'a>, ResolveError> {
    let written = written.trim();
    let counted = written.split_once(['x', '×', ' ']).and_then(|(n, id)| Some((n.trim().parse().ok()?, id)));
    let (count, id): (u32, &str) = counted.unwrap_or((1, written));
    let id = id.trim();
    let id = id.strip_prefix("x ").or_else(|| id.strip_prefix("× ")).unwrap_or(id).trim();
    let machine = catalog.machine(id).is_some();
    if machine || catalog.accelerator(id).is_some() {
        return Ok(OwnedHardware { count: count.max(1), id, machine });
    }
    let ids = catalog.accelerators.iter().map(|a| a.id.as_str());
    let near = nearest(id, ids.chain(catalog.machines.iter().map(|m| m.id.as_str())), 3);
    Err(ResolveError::Unknown { key: "have".to_owned(), id: id.to_owned(), near, why: None })
}

/// Hardware that is there already, as an offer that costs nothing to buy.
fn have(asked: &Asked<'_>, open: &OpenModel) -> Result<Option<Fields>, ResolveError> {
    let Some(given) = asked.draft.fields().get(answers::HAVE.name) else { return Ok(None) };
    let there = owned(asked.catalog, given.value.text().unwrap_or_default())?;
    let source = given.source.clone();
    let said = |value| Given { value, source: source.clone() };
    let number = |n: u32| said(Value::Number(Range::exactly(f64::from(n))));
    let mut fields = local_fields(open, "owned");
    fields.insert(local::HARDWARE_ID.name, said(Value::Text(there.id.to_owned())));
    fields.insert(local::PURCHASE.name, said(Value::Number(Range::exactly(0.0))));
    if there.machine {
        fields.insert(local::UNITS.name, number(there.count));
    } else {
        fields.insert(local::GPUS_PER_UNIT.name, number(there.count));
        fields.insert(local::UNITS.name, number(1));
    }
    Ok(Some(fields))
}

/// Does the hardware that is there carry the load?
fn holds(asked: &Asked<'_>, scenario: &Scenario, have: &Fields) -> bool {
    let alone = Scenario { local: vec![have.clone()], ..scenario.clone() };
    cost::resolve(&alone, asked.basis(false)).is_ok()
}

/// Resolves the scenario, leaving out what the catalogue cannot complete: first rented, then bought, then
/// seats.
fn resolve_what_can_be(
    asked: &Asked<'_>,
    scenario: &mut Scenario,
    capable: &[(&ApiModel, f64)],
) -> Result<Case, ResolveError> {
    let basis = asked.basis(true);
    let first = match cost::resolve(scenario, basis) {
        Ok(case) => return Ok(case),
        Err(error) => error,
    };
    let all = scenario.local.clone();
    for left_out in (0..all.len()).rev() {
        scenario.local =
            all.iter().enumerate().filter(|(n, _)| *n != left_out).map(|(_, f)| f.clone()).collect();
        if scenario.local.is_empty() {
            break;
        }
        if let Ok(case) = cost::resolve(scenario, basis) {
            return Ok(case);
        }
    }
    // Only two API models are left: a scenario compares at least two offers.
    scenario.local.clear();
    scenario.hybrid.clear();
    if let Some((second, _)) = capable.iter().find(|(m, _)| !names(&scenario.cloud[0], &m.id)) {
        scenario.cloud.push(Fields::from([(cloud::MODEL.name, text(&second.id))]));
    }
    cost::resolve(scenario, basis).map_err(|_| first)
}

fn names(fields: &Fields, id: &str) -> bool {
    fields.get(cloud::MODEL.name).is_some_and(|g| g.value.text() == Some(id))
}

fn text(id: &str) -> Given {
    Given::chosen(Value::Text(id.to_owned()), "advise", "chosen for the need: the cheapest that meets it")
}

fn local_fields(open: &OpenModel, kind: &str) -> Fields {
    let kind = Given::chosen(Value::Text(kind.to_owned()), "advise", "bought and rented are both priced");
    Fields::from([(local::MODEL.name, text(&open.id)), (local::KIND.name, kind)])
}

/// A scenario with the need only.
fn base(asked: &Asked<'_>) -> Scenario {
    let said =
        |key: &&crate::workload::keys::Key| Some((key.name, asked.draft.fields().get(key.name)?.clone()));
    Scenario { need: need::KEYS.iter().filter_map(said).collect(), ..Scenario::default() }
}

/// The cheapest API model over the horizon: makers' current models come before resellers.
fn cheapest_api<'a>(
    asked: &Asked<'a>,
    capable: &[(&'a ApiModel, f64)],
) -> Result<Option<&'a ApiModel>, ResolveError> {
    let current: Vec<&str> = (1..=asked.tiers.cloud)
        .flat_map(|tier| candidate::current(asked.catalog, asked.makers, tier, asked.today))
        .map(|m| m.id.as_str())
        .collect();
    let since = asked.today.saturating_sub(MODELS_AGE.months());
    let recent = |m: &ApiModel| candidate::dated(&m.id).is_none_or(|d| d >= (since.year(), since.month()));
    let of_makers = |m: &ApiModel| current.contains(&m.id.as_str());
    let shortlist = |keep: &dyn Fn(&ApiModel) -> bool| -> Vec<&'a ApiModel> {
        capable.iter().map(|(m, _)| *m).filter(|m| keep(m)).take(SHORTLIST).collect()
    };
    let mut short = shortlist(&|m| of_makers(m) && recent(m));
    if short.is_empty() {
        short = shortlist(&of_makers);
    }
    if short.is_empty() {
        short = shortlist(&|_| true);
    }
    if short.len() < 2 {
        return Ok(short.first().copied());
    }
    let mut scenario = base(asked);
    scenario.cloud = short.iter().map(|m| Fields::from([(cloud::MODEL.name, text(&m.id))])).collect();
    let basis = asked.basis(false);
    let case = match cost::resolve(&scenario, basis) {
        Ok(case) => case,
        // A model may lack a cache price: then the cheapest by list price that can be computed.
        Err(error @ ResolveError::Missing(_)) => {
            let alone = |m: &&ApiModel| {
                let twice = [*m, *m].map(|m| Fields::from([(cloud::MODEL.name, text(&m.id))]));
                let scenario = Scenario { cloud: twice.to_vec(), ..base(asked) };
                cost::resolve(&scenario, basis).is_ok()
            };
            let any = short.iter().copied().chain(capable.iter().map(|(m, _)| *m));
            return any.take(40).find(alone).map(Some).ok_or(error);
        }
        Err(error) => return Err(error),
    };
    let offers = cost::offers(&case);
    let best = offers.iter().min_by(|a, b| a.tco.get().total_cmp(&b.tco.get())).map_or(0, |o| o.offer);
    Ok(short.get(best).copied())
}

/// Open models that are worth a plan: not older than a year and a half, sold by several providers, and
/// rated well enough. Of those, the one with the fewest parameters (the smallest machine holds it) and the
/// one that reads the fewest of them for each token (the fastest on a large machine).
fn open_candidates<'a>(asked: &Asked<'a>) -> Vec<&'a OpenModel> {
    let shape = candidate::shape_or_assumed(asked.draft.shape());
    let long = asked.draft.number(need::CONTEXT_TOKENS).unwrap_or(0.0).max(shape.total_tokens());
    let tier = local_tier(asked);
    let since = asked.today.saturating_sub(MODELS_AGE.months()).to_string();
    let fit = |m: &&OpenModel| {
        m.tier.is_some_and(|t| t <= tier)
            && m.repository.is_some()
            && m.context_tokens.is_none_or(|c| c as f64 >= long)
            && ModelShape::from_catalogue(m).is_ok()
    };
    let all: Vec<&OpenModel> = asked.catalog.open_models.iter().filter(fit).collect();
    let recent = |m: &&&OpenModel| m.released.as_ref().is_some_and(|r| r.as_str() >= since.as_str());
    let sellers = |m: &OpenModel| asked.catalog.api_models_of(&m.id).count();
    let mut pool: Vec<&OpenModel> = Vec::new();
    for least in [COMMON, 1, 0] {
        if pool.is_empty() {
            pool = all.iter().filter(recent).filter(|m| sellers(m) >= least).copied().collect();
        }
    }
    if pool.is_empty() {
        pool = all;
    }
    let least = |of: fn(&OpenModel) -> Option<u64>| {
        pool.iter()
            .copied()
            .filter(|m| of(m).is_some())
            .min_by_key(|m| (of(m), std::cmp::Reverse(&m.released)))
    };
    let mut found: Vec<&OpenModel> = Vec::new();
    for model in
        [least(|m| m.parameters), least(|m| m.active_parameters.or(m.parameters))].into_iter().flatten()
    {
        if found.iter().all(|f| f.id != model.id) {
            found.push(model);
        }
    }
    found
}

/// The tier that a local model needs: that of the strongest open model where the data may not leave; beside
/// a strongest API, that of simple tasks.
fn local_tier(asked: &Asked<'_>) -> u8 {
    use crate::workload::Privacy;
    let own =
        asked.need.answers.privacy == Privacy::Strict || asked.need.modifiers.contains(Modifier::Offline);
    if asked.need.answers.capability == Capability::Maximum && !own {
        return asked.tiers.local.max(3);
    }
    asked.tiers.local
}

/// The open model whose bought plan costs least over the horizon.
fn cheapest_open<'a>(asked: &Asked<'a>, api: &ApiModel) -> Option<&'a OpenModel> {
    if let Some(model) = asked.measured_model() {
        return Some(model);
    }
    let candidates = open_candidates(asked);
    if candidates.len() < 2 {
        return candidates.first().copied();
    }
    let basis = asked.basis(false);
    let mut best: Option<(f64, &OpenModel)> = None;
    for model in candidates {
        let mut scenario = base(asked);
        scenario.cloud.push(Fields::from([(cloud::MODEL.name, text(&api.id))]));
        scenario.local.push(local_fields(model, "owned"));
        let Ok(case) = cost::resolve(&scenario, basis) else { continue };
        let missed = case.offers.iter().any(|o| o.plan.as_ref().is_some_and(|p| !p.missed.is_empty()));
        let Some(own) = cost::offers(&case).into_iter().find(|o| case.local_offers.contains(&o.offer)) else {
            continue;
        };
        // A plan that misses a limit comes last.
        let tco = own.tco.get() + if missed { 1e12 } else { 0.0 };
        if best.is_none_or(|(least, _)| tco < least) {
            best = Some((tco, model));
        }
    }
    best.map(|(_, model)| model)
}

/// Seats of one subscription for the people who ask.
#[derive(Debug, Clone)]
struct Seats<'a> {
    plan: &'a Subscription,
    /// The provider's model whose prices apply to what a seat does not cover.
    model: &'a ApiModel,
    name: String,
    /// US dollars a month for all seats together.
    fee: f64,
}

/// The cheapest subscription, where people ask and not programs. Providers do not publish how much a seat
/// may ask, so it is assumed to cover as much use as it costs; what goes beyond is paid by the token.
fn seats<'a>(asked: &Asked<'a>, capable: &[(&'a ApiModel, f64)]) -> Option<Seats<'a>> {
    let people = asked.draft.number(answers::PEOPLE)?;
    if matches!(asked.draft.answer::<Use>(need::USE), Some(Use::Batch)) {
        return None;
    }
    // A whole number, checked when it was read.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let people = people as u32;
    let tokens = candidate::shape_or_assumed(asked.draft.shape()).total_tokens();
    let requests = asked
        .draft
        .number(need::REQUESTS_PER_MONTH)
        .or_else(|| Some(asked.draft.number(need::TOKENS_PER_MONTH)? / tokens))
        .unwrap_or(0.0);
    let fits = |s: &&'a Subscription| {
        (s.buyer == Buyer::Organisation || people == 1)
            && s.seats_to.is_none_or(|most| people <= most)
            && s.needs.is_none()
            && asked.makers.contains(&s.provider)
    };
    let offered = |plan: &'a Subscription| {
        let number = people.max(plan.seats_from.unwrap_or(1));
        let each = asked.catalog.in_usd(plan.per_month.or(plan.per_month_of_year)?, &plan.currency)?;
        let theirs = || capable.iter().filter(|(m, _)| m.provider == plan.provider);
        let (model, usd) = theirs().find(|(m, _)| m.retires.is_none()).or_else(|| theirs().next())?;
        let (fee, used) = (each * f64::from(number), usd * requests);
        let monthly = if plan.all_use_charged { fee + used } else { fee.max(used) };
        (fee > 0.0)
            .then(|| (monthly, Seats { plan, model, name: format!("{}, {number} seats", plan.name), fee }))
    };
    let plans = asked.catalog.subscriptions.iter().filter(fits).filter_map(offered);
    plans.min_by(|(a, x), (b, y)| a.total_cmp(b).then(x.fee.total_cmp(&y.fee))).map(|(_, seats)| seats)
}

fn seat_fields(seats: &Seats<'_>) -> Fields {
    let chosen = |value| Given::chosen(value, "advise", "seats for the people who ask");
    let fee = if seats.plan.all_use_charged { cloud::FIXED } else { cloud::MINIMUM };
    Fields::from([
        (cloud::NAME.name, chosen(Value::Text(seats.name.clone()))),
        (cloud::MODEL.name, text(&seats.model.id)),
        (fee.name, chosen(Value::Number(Range::exactly(seats.fee)))),
    ])
}

/// The assumed share of simple requests, where the user does not say it.
pub(super) const SIMPLE_SHARE: f64 = 0.5;

/// Share of the prompts, 0 to 1, whose kinds of work the local model was shown to handle, where its
/// measurement counts.
fn measured_share(asked: &Asked<'_>) -> Option<Given> {
    let evidence = asked.evidence.filter(|_| asked.measured_model().is_some())?;
    let moved = evidence.quality.as_ref()?.moved_share.as_ref()?;
    let value = Value::Number(Range::exactly(moved.value));
    Some(Given { value, source: moved.source(&evidence.file) })
}

/// The keys of a hybrid: split by route where tiers differ, by hour of the week elsewhere.
fn hybrid_fields(asked: &Asked<'_>) -> Fields {
    let routed = is_routed(asked.need);
    if routed {
        let measured = || measured_share(asked);
        let share = asked
            .draft
            .fields()
            .get(answers::SIMPLE_SHARE.name)
            .cloned()
            .or_else(measured)
            .unwrap_or_else(|| {
                let half = Value::Number(Range::exactly(SIMPLE_SHARE));
                Given::chosen(half, "simple-share", "half of the requests are simple, until they are counted")
            });
        return Fields::from([(hybrid::LOCAL_SHARE.name, share)]);
    }
    let people = !matches!(asked.draft.answer::<Use>(need::USE), Some(Use::Batch | Use::Agent));
    let profile = if people { "office-hours" } else { "flat" };
    let given = Given::chosen(
        Value::Text(profile.to_owned()),
        "load-by-hour",
        if people { "people ask in working hours" } else { "programs ask at any hour" },
    );
    Fields::from([(hybrid::PROFILE.name, given)])
}

/// Are simple and complex requests told apart, so that the weaker local model gets the simple ones?
pub(super) fn is_routed(need: &Need) -> bool {
    let split = [Modifier::MixedComplexity, Modifier::CostOptimization];
    need.answers.capability == Capability::Maximum || split.iter().any(|m| need.modifiers.contains(*m))
}

/// The options of a resolved case.
fn priced<'a>(
    asked: &Asked<'a>,
    case: Case,
    scenario: Scenario,
    api: &'a ApiModel,
    open: Option<&'a OpenModel>,
    seats: Option<&Seats<'_>>,
    capable: usize,
) -> Pricing<'a> {
    let personal = seats.is_some_and(|s| s.plan.buyer == Buyer::Person);
    let offers = cost::offers(&case);
    let mut options = Vec::new();
    let mut behind = Vec::new();
    let mut ways = Vec::new();
    for (n, offer) in case.offers.iter().enumerate() {
        let summary = &offers[n];
        let kind = match (&offer.supply, offer.role) {
            (Supply::Api(_), Role::SameModel) => Kind::SameModel,
            (Supply::Api(_), _) if seats.is_some_and(|s| s.name == offer.name) => Kind::Seats,
            (Supply::Api(_), _) if offer.id.as_deref() == Some(&api.id) => Kind::Api,
            // A second API model is there only to compare with.
            (Supply::Api(_), _) => continue,
            (Supply::Machine(m), _) if m.is_rented() => Kind::Rented,
            (Supply::Machine(m), _) if m.units.is_some() && summary.capex.get() == 0.0 => Kind::Have,
            (Supply::Machine(_), _) => Kind::Owned,
        };
        let cost = OptionCost {
            monthly: summary.parts.total().get(),
            tco: summary.tco.get(),
            capex: summary.capex.get(),
        };
        options.push(Priced {
            kind,
            cost: Some(cost),
            way: Some(ways.len()),
            tier: offer.tier,
            predicted: offer.plan.is_some(),
            open_model: kind == Kind::SameModel || kind.placement() == crate::advise::Placement::Local,
            too_small: false,
            personal,
            asked: false,
        });
        behind.push(Behind::Offer(n));
        ways.push(Deployment::Alone(n));
    }
    for (split, way) in splits(asked, &case, &options, &behind) {
        options.push(Priced { way: Some(ways.len()), ..split.0 });
        behind.push(split.1);
        ways.push(way);
    }
    let totals = cost::totals(&case, &ways, asked.drawing);
    let shape = candidate::shape_or_assumed(asked.draft.shape());
    let long = asked.draft.number(need::CONTEXT_TOKENS).unwrap_or(0.0);
    let context_tokens = long.max(shape.total_tokens());
    Pricing { case, offers, options, behind, totals, context_tokens, scenario, open, capable }
}

/// The hybrid options, where they split anything.
fn splits(
    asked: &Asked<'_>,
    case: &Case,
    options: &[Priced],
    behind: &[Behind],
) -> Vec<((Priced, Behind), Deployment)> {
    let find = |kind: Kind| options.iter().position(|o| o.kind == kind);
    let tco = |n: usize| options[n].cost.map_or(f64::INFINITY, |c| c.tco);
    let opex = asked.need.answers.budget == Budget::Opex && !asked.draft.has(answers::UP_FRONT);
    let (owned, rented) = (find(Kind::Owned), find(Kind::Rented));
    // A split with a rented machine counts beside one with a bought machine where nothing may be bought, or
    // where it costs less.
    let rented = rented.filter(|r| opex || owned.is_none_or(|o| tco(*r) < tco(o)));
    let bases = owned.into_iter().chain(rented);
    bases.flat_map(|base| splits_of(case, options, behind, find(Kind::Api), base)).collect()
}

/// The hybrid options with one local side.
fn splits_of(
    case: &Case,
    options: &[Priced],
    behind: &[Behind],
    api: Option<usize>,
    base: usize,
) -> Vec<((Priced, Behind), Deployment)> {
    let (Behind::Offer(local), Some(Behind::Offer(cloud))) = (behind[base], api.map(|n| behind[n])) else {
        return Vec::new();
    };
    let pair = Pair { cloud, local };
    let likely = case.likely();
    let v = Values::of(&likely);
    let split = |kind: Kind, cost: OptionCost, units: u32, local_share: f64| {
        let option = Priced { kind, cost: Some(cost), ..options[base].clone() };
        (option, Behind::Split { pair, units, local_share })
    };
    let mut found = Vec::new();
    if let Some(routed) = cost::hybrid::routed(case, pair, v) {
        let cost = OptionCost {
            monthly: routed.monthly.get(),
            tco: routed.outcome.tco_local.get(),
            capex: routed.capex.get(),
        };
        found.push((split(Kind::Routed, cost, routed.units, routed.local_share), Deployment::Routed(pair)));
    }
    if let Some(overflow) = cost::hybrid::overflow(case, pair, v) {
        // Without machines it is the API alone, and with enough for everything it is no split.
        let own = overflow.options.iter().filter(|o| o.units > 0 && o.local_share < 0.9995);
        if let Some(best) = own.min_by(|a, b| a.tco.get().total_cmp(&b.tco.get())) {
            let cost =
                OptionCost { monthly: best.monthly.get(), tco: best.tco.get(), capex: best.capex.get() };
            let way = Deployment::Overflow { pair, units: best.units };
            found.push((split(Kind::Overflow, cost, best.units, best.local_share), way));
        }
    }
    found
}

impl Pricing<'_> {
    /// The values at which the choice between a cloud option and an own one, both by index, changes.
    pub(super) fn turns(&self, cloud: usize, own: usize) -> Turns {
        let (Behind::Offer(cloud_offer), Behind::Offer(own_offer)) = (self.behind[cloud], self.behind[own])
        else {
            return Turns::default();
        };
        let monthly = Some(self.offers[cloud_offer].parts.api.get());
        turns(&self.case, &self.offers, Pair { cloud: cloud_offer, local: own_offer }, monthly)
    }
}

fn turns(case: &Case, offers: &[OfferSummary], pair: Pair, usd_per_month: Option<f64>) -> Turns {
    let likely = case.likely();
    let v = Values::of(&likely);
    let mut scratch = Scratch::default();
    let BreakEven { requests, price, .. } = compare::break_even(case, pair, v, &mut scratch);
    let today = offers[pair.cloud].blended_price;
    Turns {
        requests: requests.map(f64::from),
        api_usd_per_mtok: price.zip(today).map(|(at, today)| (f64::from(at.blended), f64::from(today))),
        pass_rate: pass_rate(case, pair, v),
        usd_per_month,
    }
}

/// Share of local answers, 0 to 1, that must be good enough if every other one goes to the API: below it
/// the API alone costs less. `None` where local costs more even if every answer is good.
fn pass_rate(case: &Case, pair: Pair, v: Values<'_>) -> Option<f64> {
    let saves = |escalation: f64| {
        let routed = cost::hybrid::routed_at(case, pair, v, 1.0, escalation)?;
        Some(routed.tco_cloud_only.get() - routed.outcome.tco_local.get())
    };
    if saves(0.0)? <= 0.0 {
        return None;
    }
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..20 {
        let middle = f64::midpoint(low, high);
        if saves(middle)? > 0.0 { low = middle } else { high = middle }
    }
    Some(1.0 - low)
}
