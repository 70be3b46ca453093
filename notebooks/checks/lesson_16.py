"""Checks of lesson 16: quotations, coverage and risk, a threshold, destinations that are not ours."""

from __future__ import annotations

import re

from aicourse.notebook.checks import Check, Mistake, arguments, equal, unordered
from aicourse.notebook.exercises import Exercise

# 16.1


def quoted_with(*, how="words in a row", case=False, empty=False):
    """True if a quotation stands in a text, with one thing done in another way."""

    def quoted(quote, text):
        if not case:
            quote, text = quote.casefold(), text.casefold()
        wanted, words = quote.split(), text.split()
        if not wanted:
            return empty
        if how == "substring":
            return " ".join(wanted) in " ".join(words)
        if how == "as it is":
            return quote in text
        if how == "any order":
            return set(wanted) <= set(words)
        starts = range(len(words) - len(wanted) + 1)
        return any(words[start : start + len(wanted)] == wanted for start in starts)

    return quoted


FEES = "We keep 8 % of the item price,\nwith a minimum of 0.50 € and\na maximum of 400 € ."
QUOTED = Exercise(
    id="16.1",
    title="A quotation that stands in the text",
    reference=quoted_with(),
    checks=[
        Check("finds words that stand there", [arguments("8 % of the item", FEES), arguments("We keep", FEES), arguments("minimum of 0.50", FEES), arguments("a maximum of 400", FEES)]),
        Check("forgives white space and capitals", [arguments("item price, with a  minimum", FEES), arguments("we KEEP 8", FEES)]),
        Check("wants them one after the other", [arguments("8 % minimum", FEES), arguments("price item", FEES)]),
        Check(
            "takes whole words alone",
            [arguments("a maximum of 40", FEES), arguments("we kee", FEES), arguments("eep 8 %", FEES), arguments("a minimum of 0", FEES)],
            message="40 is no quotation of 400.",
        ),
        Check("takes no empty quotation", [arguments("", FEES), arguments("  ", FEES)]),
    ],
    mistakes=[
        Mistake(quoted_with(how="substring"), "Your test cuts words: 40 is found in 400. Compare lists of words, not letters."),
        Mistake(quoted_with(how="as it is"), "A line break or two spaces hide a quotation from you. Split both into words."),
        Mistake(quoted_with(how="any order"), "You find the words anywhere in the text. A quotation has them one after the other."),
        Mistake(quoted_with(case=True), "You mind capitals. Use `casefold()` on both."),
        Mistake(quoted_with(empty=True), "An empty quotation supports nothing: give False."),
    ],
    hints=[
        "`wanted, words = quote.casefold().split(), text.casefold().split()`",
        "A slice `words[start : start + len(wanted)]` is the candidate at one place.",
        "`any(… == wanted for start in range(len(words)))`, and False if `wanted` is empty.",
    ],
)  # fmt: skip

# 16.2


def report_with(
    *, risk_of="answered", unanswerable="wrong", none_is="none", score_of="all", empty=0.0
):
    """Coverage, risk and score, with one thing done in another way."""

    def report(answers):
        outcomes = []
        for text, answerable, correct in answers:
            if not text:
                outcomes.append(none_is if answerable or none_is != "right" else "right")
            elif not answerable:
                outcomes.append(
                    "wrong" if unanswerable == "wrong" or not correct else "right"
                )
            else:
                outcomes.append("right" if correct else "wrong")
        answered = sum(bool(text) for text, _, _ in answers)
        right, wrong = outcomes.count("right"), outcomes.count("wrong")
        below = answered if risk_of == "answered" else len(answers)
        risk = wrong / below if below else empty
        return (
            answered / len(answers),
            risk,
            (right - wrong) / (len(answers) if score_of == "all" else (answered or 1)),
        )

    return report


def three_numbers(answer, expected):
    """The same three, in a tuple, a list or an array."""
    try:
        return equal(tuple(answer), expected)
    except TypeError:  # no three, but one
        return False


def crashes_without_answers(answers):
    return report_with(empty=1 / (sum(bool(text) for text, _, _ in answers) or 0))(answers)


RIGHT, WRONG, NONE = ("8 %", True, True), ("9 %", True, False), ("", True, False)
INVENTED, LUCKY, SILENT = ("20 %", False, False), ("yes", False, True), ("", False, False)
REPORT = Exercise(
    id="16.2",
    title="Coverage, risk and score",
    reference=report_with(),
    checks=[
        Check("counts right and wrong answers", [arguments([RIGHT, WRONG]), arguments([RIGHT, RIGHT, RIGHT, WRONG])], same=three_numbers),
        Check("divides the risk by the answers that were given", [arguments([RIGHT, WRONG, NONE, NONE]), arguments([WRONG, SILENT, RIGHT])], same=three_numbers),
        Check("divides the score by all questions", [arguments([RIGHT, NONE, NONE, SILENT]), arguments([RIGHT, RIGHT, WRONG, NONE])], same=three_numbers),
        Check(
            "calls every answer to an unanswerable question wrong",
            [arguments([INVENTED, RIGHT]), arguments([LUCKY, RIGHT, SILENT])],
            same=three_numbers,
            message="The documents do not state it, so it is not from our documents, even if it is true.",
        ),
        Check("gives a risk of 0 if nothing was answered", [arguments([NONE, SILENT]), arguments([SILENT])], same=three_numbers),
    ],
    mistakes=[
        Mistake(report_with(risk_of="all"), "Your risk is a share of all questions. Divide by the answers that were given."),
        Mistake(report_with(unanswerable="by the rule"), "You believe a rule about a question that nothing answers. Any answer to it is wrong."),
        Mistake(report_with(none_is="wrong"), "You call an answer that was withheld wrong. It is neither right nor wrong."),
        Mistake(report_with(none_is="right"), "You call silence right where nothing answers the question. It is neither right nor wrong: the score gives it 0."),
        Mistake(report_with(score_of="answered"), "Your score is a mean over the answers. Divide by all questions."),
        Mistake(crashes_without_answers, "If nothing was answered there is nothing to divide by: the risk is 0."),
    ],
    hints=[
        "Make the outcome of each first: `\"none\"` if there is no text, `\"right\"` if `answerable and correct`, otherwise `\"wrong\"`.",
        "Coverage: answers / questions. Risk: wrong / answers.",
        "Score: (right - wrong) / questions.",
    ],
)  # fmt: skip

# 16.3


def threshold_with(*, search="all", ties="together", pick="most", of="answered"):
    """The threshold that answers most at a bearable risk, with one thing done in another way."""

    def threshold(probabilities, wrong, most):
        pairs = sorted(zip(probabilities, wrong, strict=True), key=lambda one: -one[0])
        found = None
        candidates = [p for p, _ in pairs] if ties == "together" else pairs
        for place, one in enumerate(candidates):
            if ties == "together":
                answered = [bad for p, bad in pairs if p >= one]
            else:
                answered, one = [bad for _, bad in pairs[: place + 1]], one[0]
            risk = sum(answered) / (len(answered) if of == "answered" else len(pairs))
            if risk <= most:
                if pick == "first" and found is not None:
                    continue
                found = one
            elif search == "until it breaks":
                break
        return found

    return threshold


THRESHOLD = Exercise(
    id="16.3",
    title="A threshold for a risk",
    reference=threshold_with(),
    checks=[
        Check("answers as often as the risk allows", [arguments([0.9, 0.8, 0.7, 0.6], [0, 0, 0, 1], 0.1), arguments([0.9, 0.5, 0.4], [0, 0, 1], 0.34)]),
        Check(
            "looks beyond a first bad answer",
            [arguments([0.9, 0.8, 0.7, 0.6], [1, 0, 0, 0], 0.3), arguments([0.9, 0.8, 0.7, 0.6, 0.5], [0, 1, 0, 0, 1], 0.25)],
            message="The risk goes up and down with the threshold. A later one may be bearable again.",
        ),
        Check("answers equal probabilities together", [arguments([0.9, 0.5, 0.5], [0, 0, 1], 0.1), arguments([0.7, 0.7], [0, 1], 0.4)]),
        Check("counts the risk among the answers", [arguments([0.9, 0.8, 0.7, 0.6], [0, 1, 1, 1], 0.3), arguments([0.8, 0.2, 0.1], [1, 1, 0], 0.4)]),
        Check("gives None if no threshold is good enough", [arguments([0.9, 0.8], [1, 1], 0.4), arguments([0.6], [1], 0.5)]),
    ],
    mistakes=[
        Mistake(threshold_with(search="until it breaks"), "You stop at the first threshold whose risk is too high. A lower one may be bearable again: look at all."),
        Mistake(threshold_with(ties="apart"), "Two questions with one probability are answered both or not at all. Count all with `p >= threshold`."),
        Mistake(threshold_with(pick="first"), "You take the strictest threshold. Take the lowest whose risk is bearable: it answers most."),
        Mistake(threshold_with(of="all"), "Your risk is a share of all questions. Divide by the number of answers at that threshold."),
    ],
    hints=[
        "Each probability that occurs is a candidate: `for threshold in sorted(set(probabilities))`.",
        "`answered = [bad for p, bad in zip(probabilities, wrong) if p >= threshold]`, and its mean is the risk.",
        "From the lowest upwards, the first with a risk of at most `most` answers most.",
    ],
)  # fmt: skip

# 16.4

HOST = re.compile(r"(?:https?://|www\.|@)([\w-]+(?:\.[\w-]+)+)", re.IGNORECASE)


def foreign_with(*, test="suffix with a dot", lower=True, mail=True, every=True, once=True):
    """Hosts in a text that are not ours, with one thing done in another way."""

    def foreign(text, ours):
        found = []
        for match in HOST.finditer(text):
            host = match[1].lower() if lower else match[1]
            if not mail and match[0].startswith("@"):
                continue
            own = {
                "suffix with a dot": host == ours or host.endswith("." + ours),
                "suffix": host.endswith(ours),
                "anywhere": ours in host,
                "equal": host == ours,
            }[test]
            if not own and not (once and host in found):
                found.append(host)
        return found if every else found[:1]

    return foreign


OURS = "kringlooplane.example"
FOREIGN = Exercise(
    id="16.4",
    title="Destinations that are not ours",
    reference=foreign_with(),
    checks=[
        Check("finds the host of a link", [arguments("Pay at https://pay.example/now", OURS), arguments("see http://a.example and https://b.example/x", OURS)], same=unordered),
        Check("lets our own pages through", [arguments(f"https://{OURS}/help", OURS), arguments(f"https://www.{OURS} and https://help.{OURS}/a", OURS), arguments(f"https://api.v2.{OURS}", OURS)], same=unordered),
        Check(
            "is not fooled by names that look like ours",
            [arguments(f"https://{OURS}.pay.example/", OURS), arguments(f"https://evil-{OURS}/", OURS), arguments(f"https://my{OURS}", OURS)],
            same=unordered,
            message="A subdomain ends with a dot and our name; whoever owns `evil-` and our name is somebody else.",
        ),
        Check("reads capitals as small letters", [arguments(f"HTTPS://HELP.{OURS.upper()}", OURS), arguments("https://Pay.Example", OURS)], same=unordered),
        Check("finds addresses of mail", [arguments("write to desk@help.example", OURS), arguments(f"desk@{OURS} or x@y.example", OURS)], same=unordered),
        Check("gives each host once", [arguments("https://pay.example/a or https://PAY.example/b", OURS), arguments("x@y.example, z@y.example", OURS)], same=unordered),
        Check("gives [] for a text without a destination", [arguments("We keep 8 %.", OURS), arguments("", OURS)], same=unordered),
    ],
    mistakes=[
        Mistake(foreign_with(test="suffix"), "You let a name through that only ends like ours. Either it is equal, or it ends with a dot and our name."),
        Mistake(foreign_with(test="anywhere"), "You let a name through that has ours somewhere in it. Look at the end of the host."),
        Mistake(foreign_with(test="equal"), "You report our own subdomains. A host that ends with a dot and our name is ours."),
        Mistake(foreign_with(lower=False), "Hosts have no capitals: use `lower()` before you compare, and return that."),
        Mistake(foreign_with(mail=False), "An address of mail is a destination, too."),
        Mistake(foreign_with(every=False), "A text may have several destinations: return all."),
        Mistake(foreign_with(once=False), "You give a host as often as it stands in the text. Return each once."),
    ],
    hints=[
        "`HOSTS.findall(text)` gives every host, with and without `www.`.",
        '`host == ours or host.endswith("." + ours)` is the test, on small letters.',
        "Collect each host that fails it, once.",
    ],
)  # fmt: skip

exercises = [QUOTED, REPORT, THRESHOLD, FOREIGN]
