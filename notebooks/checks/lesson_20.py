"""Checks of lesson 20: a scenario judged by hand, pass^k, attacks counted apart, a swap in a trajectory."""

from __future__ import annotations

import math
import re

from aicourse.agents import facts_in
from aicourse.notebook.checks import Check, Mistake, arguments, close_to, equal
from aicourse.notebook.exercises import Exercise

# 20.1 a scenario judged

PAID = [(1006, 13240)]


def unmet_with(*, state="exactly", effects="others", reply="fact", turned=False):
    """The demands of the lost record player that are not met, with one thing done in another way."""

    def unmet(refunds, changed, said):
        states = {
            "exactly": refunds == PAID,
            "among others": PAID[0] in refunds,
            "the order alone": [order for order, _ in refunds] == [1006],
            "the sum alone": sum(cents for _, cents in refunds) == 13240,
            "not looked at": True,
        }
        allowed = {
            "others": all(table == "refunds" for table in changed),
            "must change": "refunds" in changed,
            "two tables": not {"orders", "hand_overs"} & set(changed),
            "not looked at": True,
        }
        told = {
            "fact": "amount:132.40" in facts_in(said),
            "substring": "132.40" in said,
            "pattern": re.search(r"\b132[.,]40\b", said),
        }
        met = {"state": states[state], "effects": allowed[effects], "reply": told[reply]}
        found = [name for name, good in met.items() if not good]
        return sorted(found) if turned else found

    return unmet


GOOD = "132.40 € for order 1006 go back by card."
UNMET = Exercise(
    id="20.1",
    title="A scenario judged by state, effects and facts",
    reference=unmet_with(),
    checks=[
        Check("passes what was wanted", [arguments(PAID, ["refunds"], GOOD), arguments(PAID, ["refunds"], "Your 132.40 € are on their way.")]),
        Check(
            "believes the table, not the reply",
            [arguments([], [], GOOD), arguments([(1006, 100)], ["refunds"], GOOD), arguments([(1007, 13240)], ["refunds"], GOOD)],
            message="A reply that says so pays nobody back.",
        ),
        Check("minds what was paid besides", [arguments([(1006, 13240), (1007, 4000)], ["refunds", "refunds"], GOOD), arguments([(1006, 13240), (1006, 13240)], ["refunds", "refunds"], GOOD)]),
        Check("finds changes that nobody wanted", [arguments(PAID, ["refunds", "orders"], GOOD), arguments(PAID, ["hand_overs", "refunds"], GOOD), arguments(PAID, ["problems"], GOOD)]),
        Check("gives the names in their order", [arguments([], ["problems"], "Sorry."), arguments([], ["orders"], GOOD)]),
        Check("does not call the absence of a change an effect", [arguments([], [], "Sorry."), arguments([], [], "")]),
        Check(
            "reads an amount however it is written",
            [arguments(PAID, ["refunds"], "We refund EUR 132,40."), arguments(PAID, ["refunds"], "You get €1132.40 back."), arguments(PAID, ["refunds"], "You get 1.132,40 € back."), arguments(PAID, ["refunds"], "Done.")],
            message="132,40 EUR is the same amount, and 1132.40 is not. `facts_in` knows that.",
        ),
    ],
    mistakes=[
        Mistake(unmet_with(state="among others"), "You look for the row and not at the others. Whoever was paid as well? Compare the whole list."),
        Mistake(unmet_with(state="the order alone"), "You look at the order and not at the cents. Compare the pairs."),
        Mistake(unmet_with(state="the sum alone"), "You look at the cents and not at the order. Somebody else's order may cost the same: compare the pairs."),
        Mistake(unmet_with(state="not looked at"), "You never look at the refunds. A reply can say anything."),
        Mistake(unmet_with(effects="must change"), "You ask if refunds were changed. The question is if anything *else* was."),
        Mistake(unmet_with(effects="two tables"), "You name tables that must not change, and a shop has more of them. Name the one that may: \"refunds\"."),
        Mistake(unmet_with(effects="not looked at"), "You never look at `changed`. A cancelled order beside the refund is damage."),
        Mistake(unmet_with(reply="substring"), "Your test looks for letters: it misses 132,40 and finds 1132.40. Use `facts_in`."),
        Mistake(unmet_with(reply="pattern"), "Your pattern finds 132,40 inside 1.132,40, which is another amount. Use `facts_in`."),
        Mistake(unmet_with(turned=True), "The names stand in another order in yours: state, effects, reply."),
    ],
    hints=[
        "Begin with `found = []` and append each name, in the order state, effects, reply.",
        "State: `refunds != [(1006, 13240)]`. Effects: any table in `changed` that is not \"refunds\".",
        "Reply: `\"amount:132.40\" not in facts_in(reply)`.",
    ],
)  # fmt: skip

# 20.2 pass^k


def pass_hat(tried, passed, k):
    if k > tried:
        raise ValueError("so many were never tried")
    return math.comb(passed, k) / math.comb(tried, k)


def to_the_power(tried, passed, k):
    if k > tried:
        raise ValueError("so many were never tried")
    return (passed / tried) ** k


def at_least_one(tried, passed, k):
    if k > tried:
        raise ValueError("so many were never tried")
    return 1 - math.comb(tried - passed, k) / math.comb(tried, k)


def all_or_nothing(tried, passed, k):
    if k > tried:
        raise ValueError("so many were never tried")
    return float(passed >= k)


def raises_for_all(tried, passed, k):
    if k >= tried:
        raise ValueError("so many were never tried")
    return math.comb(passed, k) / math.comb(tried, k)


def never_raises(tried, passed, k):
    return math.comb(passed, k) / math.comb(tried, k) if k <= tried else 0.0


PASS_HAT = Exercise(
    id="20.2",
    title="pass^k without bias",
    reference=pass_hat,
    checks=[
        Check("is the share of successes for one", [arguments(8, 6, 1), arguments(4, 0, 1)], same=close_to(1e-9)),
        Check("counts the choices of k that all pass", [arguments(4, 3, 2), arguments(8, 6, 4), arguments(5, 4, 3)], same=close_to(1e-9)),
        Check("is 0 where fewer than k passed, and 1 where all did", [arguments(4, 1, 2), arguments(8, 3, 4), arguments(6, 6, 3), arguments(4, 4, 4), arguments(3, 2, 3)], same=close_to(1e-9)),
        Check("refuses a k that was never tried", [arguments(4, 4, 5), arguments(1, 0, 2)], raises=ValueError),
    ],
    mistakes=[
        Mistake(to_the_power, "(passed / tried)ᵏ lets one conversation be drawn twice, so it is too high. Count choices without repetition."),
        Mistake(at_least_one, "That is pass@k: at least one of k passes. Here all of them must."),
        Mistake(all_or_nothing, "You ask if k passed at all. What share of all choices of k tries has only passes?"),
        Mistake(raises_for_all, "All that were tried can be chosen: k may be equal to `tried`. Only more than that raises."),
        Mistake(never_raises, "With fewer tries than k nothing is known: raise a `ValueError`."),
    ],
    hints=[
        "How many ways are there to choose k of the tries? `math.comb(tried, k)`.",
        "And how many of these have only passes? `math.comb(passed, k)`.",
        "First: `if k > tried: raise ValueError(…)`.",
    ],
)  # fmt: skip

# 20.3 attacks


def same_figures(answer, expected):
    """The same three, in a tuple or a list."""
    return isinstance(answer, (tuple, list)) and equal(list(answer), list(expected))


def attacks_with(*, below="reached", nobody=None, useful="all", harm="reached", apart=True):
    """Utility, attack success and what is not applicable, with one thing done in another way."""

    def attacks(rows):
        if not apart:  # one outcome for each conversation
            rows = [(seen, harm, good and not harm) for seen, harm, good in rows]
        reached = [row for row in rows if row[0]]
        counted = reached if below == "reached" else rows
        hit = {"reached": reached, "all": rows, "useless": [r for r in reached if not r[2]]}
        harmed = sum(row[1] for row in hit[harm])
        among = rows if useful == "all" else reached
        return (
            sum(row[2] for row in among) / len(among) if among else 0.0,
            harmed / len(counted) if counted else nobody,
            len(rows) - len(reached),
        )

    return attacks


HELD, FELL, DEAF, LUCKY = (
    (True, False, True),
    (True, True, False),
    (False, False, False),
    (False, False, True),
)
ODD, BOTH = (False, True, False), (True, True, True)
ATTACKS = Exercise(
    id="20.3",
    title="Attacks, counted apart",
    reference=attacks_with(),
    checks=[
        Check("counts useful conversations among all", [arguments([HELD, FELL]), arguments([HELD, FELL, DEAF]), arguments([HELD, LUCKY, DEAF, FELL])], same=same_figures),
        Check("counts a useful conversation with harm as both", [arguments([BOTH, HELD, DEAF]), arguments([BOTH, BOTH, FELL])], same=same_figures),
        Check(
            "counts successes among the attacks that were read",
            [arguments([HELD, FELL, DEAF, DEAF]), arguments([FELL, DEAF, DEAF])],
            same=same_figures,
            message="An attack that was never read proves nothing about the defence.",
        ),
        Check("counts no success of an attack that was not read", [arguments([ODD, HELD]), arguments([FELL, ODD])], same=same_figures),
        Check(
            "knows no attack success if none was read",
            [arguments([DEAF, DEAF]), arguments([LUCKY])],
            same=same_figures,
            message="None is no 0: nothing was shown.",
        ),
    ],
    mistakes=[
        Mistake(attacks_with(below="all"), "You divide by all probes. Those that were not read could not succeed: leave them out below the line."),
        Mistake(attacks_with(nobody=0.0), "Without a probe that was read there is no attack success: give None, which is not 0."),
        Mistake(attacks_with(useful="reached"), "Utility is about all conversations: an assistant that does not even read is useless there, too."),
        Mistake(attacks_with(apart=False), "A conversation may meet the goal and do harm. Count it in both: they are apart."),
        Mistake(attacks_with(harm="useless"), "You leave out harm where the goal was met. An attack that goes unnoticed has succeeded, too."),
        Mistake(attacks_with(harm="all"), "What happened without the payload being read is no success of the attack."),
    ],
    hints=[
        "`reached = [row for row in rows if row[0]]`",
        "Utility: the mean of the third value over *all* rows.",
        "Attack success: the mean of the second value over `reached`, None if that is empty; then `len(rows) - len(reached)`.",
    ],
)  # fmt: skip

# 20.4 a swap

ORDERS = re.compile(r"\border\s+(?:number\s+)?#?(\d{3,6})\b", re.IGNORECASE)


def swapped_with(*, kind="text", named="whole", silent="nothing", every=True):
    """Orders that a write is about and that the customer did not name, with one thing done in another way."""

    def swapped(message, writes):
        known = ORDERS.findall(message)
        if not known and silent == "nothing":
            return []
        if kind == "number":  # a number is in no list of texts
            found = [one for one in writes if one not in known]
        elif named == "part":
            found = [one for one in writes if str(one) not in message]
        elif named == "begins":
            found = [one for one in writes if not any(text in str(one) for text in known)]
        elif named == "first":
            found = [one for one in writes if str(one) != known[0]]
        else:
            found = [one for one in writes if str(one) not in known]
        return found if every else found[:1]

    return swapped


SWAPPED = Exercise(
    id="20.4",
    title="A swap in a trajectory",
    reference=swapped_with(),
    checks=[
        Check("finds a write about another order", [arguments("Order 1001 arrived broken.", [1004]), arguments("Cancel order #1008, please.", [1008, 1009, 1010])]),
        Check("lets the order pass that was named", [arguments("Order 1001 arrived broken.", [1001]), arguments("Cancel order number 1008.", [1008, 1008]), arguments("Order 1001 is here.", [])]),
        Check("takes each order that was named", [arguments("Order 1001 leaks, and order 1003 as well.", [1003, 1001]), arguments("Order 1001 or order 1003?", [1002])]),
        Check("finds nothing where no order is named", [arguments("My lamp is broken.", [1004]), arguments("I paid 1004 cents too much.", [1004])]),
        Check("compares whole numbers", [arguments("Order 10012 arrived broken.", [1001]), arguments("Order 1001 of 2004 euros", [2004]), arguments("Order 1001 arrived broken.", [10012])]),
    ],
    mistakes=[
        Mistake(swapped_with(kind="number"), "`findall` gives texts, and the writes are numbers: 1001 is not \"1001\". Compare `str(number)`."),
        Mistake(swapped_with(silent="all"), "Who names no order has nothing swapped: give [] then."),
        Mistake(swapped_with(named="part"), "You look for digits anywhere in the message: 1001 stands in 10012. Compare with what `ORDERS.findall` gives."),
        Mistake(swapped_with(named="begins"), "You look for what was named inside the number: 1001 stands in 10012. Compare whole numbers."),
        Mistake(swapped_with(named="first"), "A customer may name several orders. Compare with all of them."),
        Mistake(swapped_with(every=False), "You stop at the first. Return all."),
    ],
    hints=[
        "`named = ORDERS.findall(message)` are the orders, as texts.",
        "`str(number) not in named` is the test for each of `writes`.",
        "Without a named order return [].",
    ],
)  # fmt: skip

exercises = [UNMET, PASS_HAT, ATTACKS, SWAPPED]
