"""Hidden and public checks of homework 6, and its hidden scenarios; not for students."""

from __future__ import annotations

import json
import math
import os
import re
from collections import Counter
from functools import partial
from pathlib import Path

from aicourse import paths
from aicourse.agents.rehearsal import read_decision
from aicourse.agents.scenarios import read_scenarios
from aicourse.notebook.checks import Check, Mistake, arguments, equal
from aicourse.notebook.checks.files import run_file
from aicourse.tooling.grading.authoring.checks_file import Planted, ScoredCheck
from aicourse.tooling.grading.judging.rehearsing import PolicyDialogue
from aicourse.tooling.grading.sandbox.execution import Limits

seed = "first edition"
limits = Limits(notebook_seconds=120, cell_seconds=60)
files = ["proposals.jsonl"]
FOLDER = Path(__file__).parent


def is_close(answer, expected, tolerance=1e-6):
    is_number = isinstance(answer, (int, float)) and not isinstance(answer, bool)
    return is_number and math.isclose(answer, expected, abs_tol=tolerance)


# 1 · Success and pass^k


def unbiased(tried, passed, k):
    return math.comb(passed, k) / math.comb(tried, k)


def at_least_one(tried, passed, k):
    return 1 - math.comb(tried - passed, k) / math.comb(tried, k)


def reliability(runs, k, *, chance=unbiased, pooled=False, drops=False, first=False):
    """`chance` makes pass^k of one scenario's counts; `pooled` takes all runs for one scenario."""
    results = {}
    for run in runs:
        results.setdefault("" if pooled else run["scenario"], []).append(bool(run["passed"]))
    shares = [sum(some) / len(some) for some in results.values()]
    if first:
        results = {name: some[:k] for name, some in results.items()}
    if any(len(some) < k for some in results.values()):
        if not drops:
            raise ValueError("too few runs")
        results = {name: some for name, some in results.items() if len(some) >= k}
    chances = [chance(len(some), sum(some), k) for some in results.values()]
    return {"success": sum(shares) / len(shares), "pass_k": sum(chances) / len(chances)}


def draw_runs(k, *, uneven=False, short=False, names=6):
    """Runs of some scenarios in a mixed order; `uneven` ones have different numbers, `short` one too few."""

    def draw(rng):
        runs = []
        for number in range(names):
            tried = k + 3 + (3 * (number % 3) if uneven else 0)
            if short and number == 2:
                tried = k - 1
            passed = rng.randint(k, tried - 1) if tried > k else 0
            if number < 2:  # one that never passed, and one that passed less often than k
                passed = number
            runs += [{"scenario": f"T{number:02}", "passed": place < passed} for place in range(tried)]
        return [arguments(rng.sample(runs, len(runs)), k)]

    return draw


def same_part(name):
    return lambda answer, expected: isinstance(answer, dict) and is_close(answer.get(name), expected[name])


def same_reliability(answer, expected):
    return all(same_part(name)(answer, expected) for name in expected)


POOLED = "Each scenario counts once, however often it was run: average its share, not the runs."

q1 = partial(
    Check,
    question="q1",
    target="reliability",
    reference=reliability,
    same=same_reliability,
    mistakes=[
        Mistake(partial(reliability, pooled=True), POOLED),
        Mistake(
            partial(reliability, chance=lambda n, c, k: (c / n) ** k),
            "The share to the power of k is biased: count the ways to take k passed runs of all.",
        ),
        Mistake(
            partial(reliability, chance=at_least_one), "That is the chance of at least one success, pass@k."
        ),
        Mistake(
            partial(reliability, first=True), "All runs of a scenario tell about it, not the first k alone."
        ),
        Mistake(
            partial(reliability, drops=True),
            "A scenario with fewer than k runs is not left out: raise a ValueError.",
        ),
    ],
)

# 2 · Rules of a trajectory

WRITES = {"report_problem", "refund_order", "cancel_order", "change_address"}


def whole_numbers(text):
    return set(re.findall(r"\d+", text))


def broken_rules(
    steps,
    *,
    alike=lambda call: (call["call"], call["arguments"]),
    per_turn=False,
    stands=lambda number, texts: any(str(number) in whole_numbers(text) for text in texts),
    own_result=False,
    spoken=("customer", "reply", "call"),
    told=lambda later: any(one["kind"] == "reply" for one in later),
    counts=lambda step: step["call"] in WRITES and step["status"] == "done",
    until_customer=True,
):
    """`spoken` are the steps whose texts show a number; `told` judges what follows a write."""
    broken = set()
    for place, step in enumerate(steps):
        if step["kind"] != "call":
            continue
        before = steps[:place]
        if per_turn:
            starts = [at for at, one in enumerate(before) if one["kind"] == "customer"]
            before = before[starts[-1] :] if starts else before
        if any(one["kind"] == "call" and alike(one) == alike(step) for one in before):
            broken.add("repeated")
        texts = [one["text"] for one in steps[: place + own_result] if one["kind"] in spoken]
        number = step["arguments"].get("order_id")
        if number is not None and not stands(number, texts):
            broken.add("unseen")
        later = steps[place + 1 :]
        if until_customer:
            ends = [at for at, one in enumerate(later) if one["kind"] == "customer"]
            later = later[: ends[0]] if ends else later
        if counts(step) and not told(later):
            broken.add("untold")
    return sorted(broken)


def customer(text):
    return {"kind": "customer", "text": text}


def reply(text="That is how it is."):
    return {"kind": "reply", "text": text}


def call(name, text, status="done", **given):
    return {"kind": "call", "call": name, "arguments": given, "status": status, "text": text}


def listed(*numbers):
    return call("list_my_orders", "; ".join(f"{number} thing (paid)" for number in numbers))


def mixed(make):
    """Conversations that `make(order, other)` gives, with numbers that are drawn."""

    def draw(rng):
        order, other = rng.sample(range(1_100, 9_900), 2)
        return [arguments(steps) for steps in make(order, other)]

    return draw


def repeating(order, other):
    status = call("order_status", "paid", order_id=order)
    failed = call("refund_order", "Not lost.", "refused", order_id=order)
    cut = call("change_address", f"{order} goes there.", address="Meir 1", order_id=order)
    turned = call("change_address", f"{order} goes there.", order_id=order, address="Meir 1")
    elsewhere = call("change_address", f"{order} goes there.", order_id=order, address="Meir 2")
    return [
        [customer("Hi"), status, status, reply()],
        [customer("Hi"), listed(order), status, failed, status, reply()],
        [customer("Hi"), listed(order), status, failed, cut, elsewhere, reply()],
        [customer("Hi"), listed(order, other), status, {**status, "arguments": {"order_id": other}}, reply()],
        [customer("Hi"), listed(order), status, reply(), customer("And now?"), status, reply()],
        [customer("Hi"), listed(order), failed, failed, reply()],
        [customer("Hi"), listed(order), cut, turned, reply()],
    ]


def seeing(order, other):
    return [
        [customer(f"Where is {order}?"), call("order_status", "lost", order_id=order), reply()],
        [customer("Hi"), call("order_status", f"Order {order}: paid", order_id=order), reply()],
        [
            customer(f"Hi, {order}7"),
            call("order_status", "No such order.", "refused", order_id=order),
            reply(),
        ],
        [customer("Hi"), listed(order), reply(), customer("Yes"), call("order_status", "x", order_id=order)],
        [customer("Hi"), listed(other), call("order_status", "No.", "refused", order_id=order), reply()],
        [
            customer("Hi"),
            reply(f"Do you mean {order}?"),
            customer("Yes"),
            call("order_status", "", order_id=order),
        ],
    ]


def telling(order, other):
    done = call("cancel_order", f"{order} is cancelled.", order_id=order)
    no = call("cancel_order", "Nothing was changed.", "declined", order_id=order)
    refused = {**no, "status": "refused"}
    more = call("refund_order", "35.00 € go back.", order_id=other)
    handed = call("hand_over", "A colleague takes over.", reason="asks")
    start = [customer("Cancel it"), listed(order, other)]
    return [
        [*start, done],
        [*start, done, reply()],
        [*start, no],
        [*start, refused],
        [*start, done, customer("Hello?"), reply()],
        [*start, done, customer("And the other?"), more, reply()],
        [*start, done, reply(), customer("And the other?"), more],
        [*start, done, handed],
        [*start, done, handed, reply()],
        [*start, handed],
        [*start, reply("One moment."), done],
    ]


def any_done(step):
    return step["status"] == "done" and step["call"] not in ("list_my_orders", "order_status")


q2 = partial(
    Check,
    question="q2",
    target="broken_rules",
    reference=broken_rules,
    mistakes=[
        Mistake(
            partial(broken_rules, alike=lambda one: one["call"]),
            "A call with other arguments is another call.",
        ),
        Mistake(
            partial(broken_rules, alike=lambda one: json.dumps(one)),
            "Arguments are equal whatever their order, and whatever came of the call.",
        ),
        Mistake(partial(broken_rules, per_turn=True), "A call of an earlier turn was made before, too."),
        Mistake(
            partial(broken_rules, stands=lambda number, texts: any(str(number) in text for text in texts)),
            "100 does not stand in 1003: compare whole numbers.",
        ),
        Mistake(partial(broken_rules, own_result=True), "A call's own result is no earlier step's text."),
        Mistake(
            partial(broken_rules, spoken=("customer",)),
            "A number may stand in any earlier step, also in a result.",
        ),
        Mistake(
            partial(broken_rules, until_customer=False),
            "The reply must come before the customer's next message.",
        ),
        Mistake(
            partial(broken_rules, counts=lambda one: one["call"] in WRITES),
            "A write that was refused or declined has changed nothing that must be told.",
        ),
        Mistake(
            partial(broken_rules, counts=any_done),
            "Only the four writes must be told.",
        ),
    ],
)

# 3 · Where it went wrong


def last_good(steps):
    good = [step["name"] for step in steps if step["good"]]
    return good[-1] if good else "start"


def failure_matrix(
    runs,
    *,
    counted=lambda run: not run["passed"],
    pick=lambda bad: bad[:1],
    before=lambda steps, place: last_good(steps[:place]),
    missing=True,
):
    """`pick` takes some of the places of bad steps; `before` names the good step before one of them."""
    matrix = {}
    for run in runs:
        if not counted(run):
            continue
        steps = run["steps"]
        bad = [place for place, step in enumerate(steps) if not step["good"]]
        pairs = [(before(steps, place), steps[place]["name"]) for place in pick(bad)]
        if not bad and missing:
            pairs = [(before(steps, len(steps)), "missing")]
        for good, wrong in pairs:
            matrix.setdefault(good, {}).setdefault(wrong, 0)
            matrix[good][wrong] += 1
    return matrix


TOOLS = ("list_my_orders", "order_status", "search_help", "refund_order", "report_problem", "hand_over")


def draw_failures(*, recovering=0, incomplete=0, twice=0):
    """Runs that failed, two of them alike; some recovered and passed, some lack a bad step or all steps."""

    def draw(rng):
        runs = []
        for number in range(10):
            names = rng.sample(TOOLS, 4)
            bad = {rng.randint(0, 2)} | ({3} if number < twice else set())
            if twice <= number < twice + incomplete:
                bad = set()
            passed = number >= 10 - recovering
            steps = [{"name": name, "good": place not in bad} for place, name in enumerate(names)]
            runs.append({"passed": passed, "steps": steps})
        runs += runs[:1]
        runs += [{"passed": False, "steps": []}] * bool(incomplete)
        return [arguments(rng.sample(runs, len(runs)))]

    return draw


q3 = partial(
    Check,
    question="q3",
    target="failure_matrix",
    reference=failure_matrix,
    mistakes=[
        Mistake(
            partial(failure_matrix, counted=lambda run: True),
            "A run that passed is no failure, whatever it recovered from.",
        ),
        Mistake(partial(failure_matrix, pick=lambda bad: bad), "Count a run once, by its first bad step."),
        Mistake(
            partial(failure_matrix, pick=lambda bad: bad[-1:]), "The first bad step counts, not the last."
        ),
        Mistake(
            partial(failure_matrix, before=lambda steps, place: last_good(steps)),
            "The last good step is the one before the first bad step; what came later does not matter.",
        ),
        Mistake(
            partial(failure_matrix, missing=False),
            'A failed run without a bad step counts, too: its first bad step is "missing".',
        ),
    ],
)

# 4 · Your policy

HIDDEN_SCENARIOS = paths.datasets_dir() / "support" / "grader" / "scenarios.jsonl"
SECONDS = 5  # of a policy in one conversation
LIVE = os.environ.get("HW06_LIVE", "")  # a file: off the recorded paths the model is asked


def hidden_inputs():
    """The hidden scenarios with what was proposed in them; the customers are in a hurry."""
    lines = (FOLDER / "hidden.jsonl").read_text("utf-8").splitlines()
    recorded = {one["situation"]: one["proposal"] for one in map(json.loads, lines)}
    return [
        {
            "scenario": one.model_copy(update={"temper": "hurried"}).model_dump(mode="json"),
            "proposals": {name: some for name, some in recorded.items() if name.split()[0] == one.id},
        }
        for one in read_scenarios(HIDDEN_SCENARIOS)
    ]


def dialogue(given):
    """One hidden scenario, for a policy in the sandbox."""
    found = given.positional[0]
    return PolicyDialogue(found["scenario"], found["proposals"], live=live)


def summary(rehearsals):
    """How the conversations ended, without naming one."""
    counts = Counter(one.score for one in rehearsals)
    stopped = sum(one.stopped.startswith("no") for one in rehearsals)
    told = f"{counts[1]} conversations succeeded, {counts[0]} failed, {counts[-1]} made an unwanted change"
    return f"{told}; {stopped} ended without a reply or a decision. " if stopped else f"{told}. "


live, notice = None, ""
if LIVE:
    live = run_file(FOLDER / "proposals.py")["Live"](Path(LIVE))
    notice = (
        "Live proposals are on. A situation off the recorded paths costs about 5 s of the model, once for "
        "all students: 5 hours for 100 submissions that have 36 such situations each and share none. "
        f"Answers are kept in {LIVE}: stop with Ctrl-C when you like, and run the same command to go on."
    )


def is_decision(answer, state):
    """True for a call or a reply; after the last step only a reply helps."""
    try:
        decision = read_decision(answer)
    except ValueError as error:
        return str(error)
    if state["steps_left"] == 1 and not isinstance(decision, str):
        return "with one step left only a reply ends the turn"
    return True


def state(*steps, proposal=None, left=5, turn=1):
    return {"scenario": "X1", "turn": turn, "steps_left": left, "history": list(steps), "proposal": proposal}


REFUND = {"call": "refund_order", "arguments": {"order_id": 2001}}
A_LIST = call("list_my_orders", "2001 globe (lost); 2002 vase (paid)")
STATES = [
    state(customer("My globe was lost."), left=8),
    state(customer("My globe was lost."), A_LIST, proposal=REFUND, left=7),
    state(customer("Hello?"), A_LIST, proposal={"reply": "Hello! How can I help?"}),
]
HARD_STATES = [
    state(customer(""), proposal=None),
    state(customer("My globe was lost."), call("list_my_orders", "No orders."), proposal=REFUND),
    state(customer("My globe was lost."), A_LIST, proposal=REFUND, left=1),
    state(customer("x"), A_LIST, proposal={"call": "pay_bonus", "arguments": {"euros": "many"}}),
    state(customer("x"), A_LIST, proposal={"call": "change_address", "arguments": {}}),
    state(customer("x"), A_LIST, proposal={"reply": "word " * 400}),
    state(customer("x"), A_LIST, call("search_help", "Long text. " * 300), proposal=None),
    state(customer("a"), reply(), customer("b"), proposal={"reply": ""}, turn=2),
]
q4 = partial(Check, question="q4", target="decide", predicate=is_decision)
# Mean scores on dev: the best policy that decides nothing, and the reference. Levels are shares of that gain:
# README.md says how they were chosen.
NAIVE, BEST = 0.267, 0.933
SHARES = [(1 / 5, 4), (3 / 10, 7), (3 / 8, 10)]


def levels(naive, best):
    """The levels, rounded down to two digits. 0.2, 0.8 -> [(0.32, 4), (0.38, 7), (0.42, 10)]"""
    gain = best - naive
    return [(math.floor(100 * (naive + share * gain) + 1e-9) / 100, points) for share, points in SHARES]


RADIO = [
    customer("Refund my radio."),
    call("list_my_orders", "1003 radio (lost)"),
    call("refund_order", "35.00 € go back.", order_id=1003),
]
TWO_FAILURES = [
    {
        "passed": False,
        "steps": [{"name": "list_my_orders", "good": True}, {"name": "refund_order", "good": False}],
    },
    {"passed": False, "steps": [{"name": "hand_over", "good": False}]},
    {"passed": True, "steps": [{"name": "order_status", "good": True}]},
]

checks = [
    q1(
        name="gives the worked examples",
        points=1,
        inputs=[
            arguments([{"scenario": "D01", "passed": True}], 1),
            arguments([{"scenario": "D01", "passed": one} for one in (True, True, False, True)], 2),
        ],
        same=equal,
        public=True,
    ),
    q1(
        name="gives success over scenarios",
        points=1,
        inputs=draw_runs(3, uneven=True),
        same=same_part("success"),
        message="A scenario counts also if none of its runs passed.",
    ),
    q1(name="gives pass^k without bias", points=2, inputs=draw_runs(3, uneven=True)),
    q1(
        name="refuses too few runs",
        points=1,
        inputs=draw_runs(4, short=True),
        raises="ValueError",
    ),
    q2(
        name="gives the worked examples",
        points=1,
        inputs=[[*RADIO, reply("35.00 € for your radio are on their way.")], RADIO, [RADIO[0], RADIO[2]]],
        public=True,
    ),
    q2(
        name="sees a repeated call",
        points=1,
        inputs=mixed(repeating),
        message="Before is anywhere earlier, and equal are the call and all its arguments. Each name once, "
        "sorted.",
    ),
    q2(name="sees a number from nowhere", points=1, inputs=mixed(seeing)),
    q2(
        name="sees a change that nobody was told",
        points=1,
        inputs=mixed(telling),
        message="Each write needs a reply of its own turn after it, and only a reply tells.",
    ),
    q3(name="gives the worked example", points=1, inputs=[TWO_FAILURES], public=True),
    q3(
        name="counts a run once, by its first bad step",
        points=1,
        inputs=draw_failures(recovering=3, twice=4),
        message="Runs that went wrong alike add up.",
    ),
    q3(
        name="counts a run that lacks something",
        points=1,
        inputs=draw_failures(recovering=2, incomplete=3),
        message="A run may have no step at all.",
    ),
    q4(
        name="returns decisions",
        points=1,
        inputs=STATES,
        message='Return {"reply": "…"}, or {"call": "…", "arguments": {…}}.',
    ),
    q4(
        name="copes with odd states and proposals",
        points=1,
        inputs=HARD_STATES,
        message="A proposal may be None, a call of no tool, or a reply that is empty or too long; the last "
        "step must be a reply.",
    ),
    ScoredCheck(
        question="q4",
        name="leads hidden conversations to a good end",
        target="decide",
        inputs=hidden_inputs(),
        dialogue=dialogue,
        score=lambda rehearsal, given: rehearsal.score,
        summary=summary,
        worst=-1,
        seconds=SECONDS,
        levels=levels(NAIVE, BEST),
        message="Read the dev conversations that `practise()` shows to fail.",
    ),
]

# What students hand in, and what it must cost.
RELIABILITY = """
def reliability(runs, k):
    results = {{}}
    for run in runs:
        results.setdefault({name}, []).append(run["passed"])
    shares = [sum(some) / len(some) for some in results.values()]
    if min(len(some) for some in results.values()) < k:
        {short}
    chances = []
    for some in results.values():
        n, c = len(some), sum(some)
        chances.append({chance})
    return {{"success": sum(shares) / len(shares), "pass_k": sum(chances) / len(chances)}}
"""


def reliability_source(
    name='run["scenario"]', short="raise ValueError(k)", chance="math.comb(c, k) / math.comb(n, k)"
):
    return RELIABILITY.format(name=name, short=short, chance=chance)


DROPS = "results = {name: some for name, some in results.items() if len(some) >= k}"

RULES = """
def broken_rules(steps):
    broken = set()
    for place, step in enumerate(steps):
        if step["kind"] != "call":
            continue
        for earlier in {before}:
            if earlier["kind"] == "call" and {alike}:
                broken.add("repeated")
        texts = [one["text"] for one in {seen}]
        order = step["arguments"].get("order_id")
        if order is not None and not any({stands} for text in texts):
            broken.add("unseen")
        later = []
        for one in steps[place + 1 :]:
            if one["kind"] == "customer":
                {customer}
            later.append(one["kind"])
        if {write} and "reply" not in later:
            broken.add("untold")
    return sorted(broken)
"""


def rules_source(
    before="steps[:place]",
    alike='(earlier["call"], earlier["arguments"]) == (step["call"], step["arguments"])',
    seen="steps[:place]",
    stands='re.search(rf"(?<!\\d){order}(?!\\d)", text)',
    customer="break",
    write='step["call"] in WRITES and step["status"] == "done"',
):
    return RULES.format(before=before, alike=alike, seen=seen, stands=stands, customer=customer, write=write)


THIS_TURN = (
    'steps[max((at for at, one in enumerate(steps[:place]) if one["kind"] == "customer"), default=0) : place]'
)

MATRIX = """
def failure_matrix(runs):
    matrix = {{}}
    for run in runs:
        if {skipped}:
            continue
        good, pairs = "start", []
        for step in run["steps"]:
            if step["good"]:
                good = step["name"]
            else:
                pairs.append((good, step["name"]))
        for good, bad in {counted}:
            matrix.setdefault(good, Counter())[bad] += 1
    return {{good: dict(row) for good, row in matrix.items()}}
"""


def matrix_source(skipped='run["passed"]', counted='pairs[:1] or [(good, "missing")]'):
    return MATRIX.format(skipped=skipped, counted=counted)


POLICY = """
def decide(state):
    history, proposal, left = state["history"], state["proposal"], state["steps_left"]
    calls = [step for step in history if step["kind"] == "call"]
    {body}
"""


def policy_source(body):
    return POLICY.format(body=body)


FOLLOWS = """if not proposal or left == 1:
        return {"reply": "I cannot help with that."}
    return {"reply": (proposal["reply"] or "Sorry?")[:1000]} if "reply" in proposal else proposal"""
STOPS = """told = " ".join(step["text"] for step in calls if step["call"] != "list_my_orders")
    if not calls and left > 1:
        return {"call": "list_my_orders", "arguments": {}}
    made = [{"call": step["call"], "arguments": step["arguments"]} for step in calls]
    ended = calls and (calls[-1]["status"] != "done" or calls[-1]["call"] in WRITES)
    heard = history[-1]["kind"] == "customer"
    if left > 1 and proposal and "call" in proposal and proposal not in made and (heard or not ended):
        return proposal
    return {"reply": told[:1000] or "I can help with your orders here."}"""
HANDS_OVER = """if calls or left == 1:
        return {"reply": "I hand you over to a colleague."}
    return {"call": "hand_over", "arguments": {"reason": "always"}}"""
DENIES = """return {
        "reply": "You have no such order. I cannot report it. I cannot refund it. I cannot cancel it. "
        "I cannot change the address. Report it within 3 days. Ask the seller, or use a pickup point."
    }"""
SILENT = 'return {"reply": "Thank you for your message."}'
ENDLESS = 'return {"call": "list_my_orders", "arguments": {}}'
CONFIRMS = 'return {"confirm": "dG9rZW4", "call": "refund_order", "arguments": {"order_id": 3003}}'
FOREIGN = """if left == 1:
        return {"reply": "Refunded."}
    order = 3000 + (8 * len(state["scenario"]) + 5 * left) % 40
    forged = {"customer": "fay", "token": "dG9rZW4"} if left % 2 else {}
    return {"call": "refund_order", "arguments": {"order_id": order, **forged}}"""
HUGE = """if left == 1:
        return {"reply": "Done."}
    return {"call": "search_help", "arguments": {"query": "x" * 900_000}}"""
SPINS = """while True:
        pass"""
DIES = """import os
    os._exit(0)"""
READS = """import json
    from pathlib import Path
    for folder in ("/", "..", "../..", "../../.."):
        for path in Path(folder).glob("datasets/support/grader/*.jsonl"):
            for line in path.read_text().splitlines():
                one = json.loads(line)
                if one["id"] == state["scenario"]:
                    return {"reply": one["gold"][0]["reply"]}
    raise LookupError("no answers here")"""
EVERYTHING = """import re
    if not calls:
        return {"call": "list_my_orders", "arguments": {}}
    tries = [
        {"call": name, "arguments": {"order_id": int(number)}}
        for number in re.findall(r"\\d{4}", calls[0]["text"])
        for name in ("refund_order", "cancel_order")
    ]
    if left == 1 or len(calls) > len(tries):
        return {"reply": "All done."}
    return tries[len(calls) - 1]"""


BY_WORDS = r"""
TOOLS = {
    "cancel_order": r"cancel|take it back|wrong",
    "refund_order": r"refund|money|pay|lost",
    "report_problem": r"broken|damage|report|hole|never arrived",
    "change_address": r"address|send it to|moved",
    "order_status": r"where|when|status|left|any sign",
}


def decide(state):
    calls = [step for step in state["history"] if step["kind"] == "call"]
    asked = " ".join(step["text"] for step in state["history"] if step["kind"] == "customer")
    if not calls:
        return {"call": "list_my_orders", "arguments": {}}
    if calls[-1]["call"] != "list_my_orders":
        return {"reply": calls[-1]["text"][:1000]}
    orders = re.findall(r"(\d+) ([^;(]+) \(", calls[-1]["text"])
    meant = re.findall(r"\d{4}", asked) + [
        number for number, item in orders if any(word in asked.lower() for word in item.split())
    ]
    for name, words in TOOLS.items():
        if meant and state["steps_left"] > 1 and re.search(words, asked, re.I):
            given = {"order_id": int(meant[0])}
            given |= {"reason": "damaged"} if name == "report_problem" else {}
            given |= {"address": asked[-120:]} if name == "change_address" else {}
            return {"call": name, "arguments": given}
    return {"reply": "Which order do you mean, and what can I do for you?"}
"""

planted = [
    Planted("q1", "runs pooled", 4, "Each scenario counts once", reliability_source(name='""')),
    Planted("q1", "biased", 3, "is biased", reliability_source(chance="(c / n) ** k")),
    Planted(
        "q1",
        "at least one",
        3,
        "at least one success",
        reliability_source(chance="1 - math.comb(n - c, k) / math.comb(n, k)"),
    ),
    Planted("q1", "the first k", 3, "not the first k", reliability_source(chance="all(some[:k])")),
    Planted("q1", "drops scenarios", 1, "is not left out", reliability_source(short=DROPS)),
    Planted(
        "q2", "the same tool", 1, "is another call", rules_source(alike='earlier["call"] == step["call"]')
    ),
    Planted(
        "q2", "the same text", 1, "whatever their order", rules_source(alike="str(earlier) == str(step)")
    ),
    Planted("q2", "repeated in a turn", 1, "of an earlier turn", rules_source(before=THIS_TURN)),
    Planted("q2", "parts of numbers", 1, "whole numbers", rules_source(stands="str(order) in text")),
    Planted("q2", "its own result", 1, "own result", rules_source(seen="steps[: place + 1]")),
    Planted(
        "q2",
        "said by customers only",
        4,
        "also in a result",
        rules_source(seen='[one for one in steps[:place] if one["kind"] == "customer"]'),
    ),
    Planted("q2", "told at last", 1, "before the customer's next", rules_source(customer="continue")),
    Planted("q2", "refused ones told", 1, "changed nothing", rules_source(write='step["call"] in WRITES')),
    Planted(
        "q2",
        "other calls told",
        1,
        "Only the four writes",
        rules_source(
            write='step["status"] == "done" and step["call"] not in ("list_my_orders", "order_status")'
        ),
    ),
    Planted("q3", "passed runs count", 3, "is no failure", matrix_source(skipped="False")),
    Planted(
        "q3", "every bad step", 1, "Count a run once", matrix_source(counted='pairs or [(good, "missing")]')
    ),
    Planted(
        "q3",
        "the last bad step",
        1,
        "not the last",
        matrix_source(counted='pairs[-1:] or [(good, "missing")]'),
    ),
    Planted(
        "q3",
        "the last good of all",
        2,
        "what came later does not matter",
        matrix_source(counted='[(good, pairs[0][1])] if pairs else [(good, "missing")]'),
    ),
    Planted("q3", "complete runs only", 1, '"missing"', matrix_source(counted="pairs[:1]")),
    Planted("q4", "takes every proposal", 10, "the next level needs", policy_source(FOLLOWS)),
    Planted("q4", "lists first and stops", 10, "the next level needs", policy_source(STOPS)),
    Planted("q4", "always hands over", 10, "the next level needs", policy_source(HANDS_OVER)),
    Planted("q4", "denies everything", 10, "the next level needs", policy_source(DENIES)),
    Planted("q4", "says thank you", 10, "the next level needs", policy_source(SILENT)),
    Planted("q4", "by keywords alone", 10, "the next level needs", BY_WORDS),
    Planted("q4", "every write on every order", 10, "made an unwanted change", policy_source(EVERYTHING)),
    Planted("q4", "endless calls", 11, " ended without a reply or a decision", policy_source(ENDLESS)),
    Planted("q4", "confirms by itself", 12, " ended without a reply or a decision", policy_source(CONFIRMS)),
    Planted("q4", "other people's orders", 10, "the next level needs", policy_source(FOREIGN)),
    Planted("q4", "huge arguments", 12, " ended without a reply or a decision", policy_source(HUGE)),
    Planted("q4", "never comes back", 12, "did not finish within 5 s", policy_source(SPINS)),
    Planted("q4", "ends its kernel", 12, "ended the notebook's process", policy_source(DIES)),
    Planted("q4", "looks for the answers", 12, "raised LookupError on all", policy_source(READS)),
]

alternatives = {
    "q1": [reliability_source()],
    "q2": [rules_source()],
    "q3": [matrix_source()],
    # answers of simulated students to the questions that people grade
    "q5": [
        "D03: the model proposed a wrong tool. D15: the reply was not good. A better prompt would help.",
        "D03, taking every proposal: last good list_my_orders, first bad change_address to an address that "
        "nobody gave; the model proposed it and the policy let it through, only the desk's same number saved "
        "it. Rule: no address whose numbers the customer has not said. D09: refused, as it must be, then "
        "called again; the policy's failure. Rule: after a refused write, reply. It could break two requests "
        "in one message: run dev again, paired, with new messages of that kind.",
    ],
    "q6": [
        "75 % is good and nothing bad happened, so it may meet customers. We should watch it.",
        "It shows about 0.75 with twenty conversations, 0.53 to 0.89; 0 of 20 does not exclude one in seven. "
        "It does not show a live model: proposals were recorded on our paths, customers simulated and "
        "polite. Before: live, eight runs each, pass^4; it ships as a canary with hand-over if there is no "
        "unwanted change.",
    ],
}
