"""Posts and steps that a model writes: from the owner's facts alone, and asked again for what nobody gave."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drafting import DrafterRefused, inventions
from drafting.background import Fact
from drafting.guard import UnfitDraft
from drafting.offline import OfflineDrafter
from drafting.posts import OWN, Brief, Writer, checked_post, checked_steps

WORDS = "We repair bicycles of every make in Kiel since 1986. Bring yours on Friday."
BRIEF = Brief(
    network="Mastodon", longest=500, unit="characters", words=WORDS, language="en",
    facts=(Fact("theme", "Repairs that last", "Business_Goals.md"),),
)  # fmt: skip
GOOD = "Since 1986 we repair every bicycle in Kiel. Come on Friday! #repairs"
BOTH = pytest.mark.parametrize("provider", ["anthropic", "openai"])


def anything(_: object) -> None:
    """Fits."""


@BOTH
def test_a_post_is_the_models_text_from_the_owners_facts(drafter: Any, model_server: Any, provider: str) -> None:
    made = drafter(provider)
    assert isinstance(made, Writer)
    model_server.will({"text": GOOD})
    found = made.post(BRIEF, handbook="## Tone\n\n- short\n\n## Contacts (personal)\n\n- Aunt Ada\n", fits=anything)
    assert found.text == GOOD + "\n"
    assert found.by.startswith(f"{provider}:")
    (request,) = model_server.asked
    assert not request.keys() & {"tools", "tool_choice", "functions"}
    assert "Business_Goals.md" in str(request)
    assert "Aunt Ada" not in str(request), "a post is business"


@BOTH
def test_an_invention_is_asked_for_again_and_then_refused(drafter: Any, model_server: Any, provider: str) -> None:
    bad = {"text": "We repaired 400 bicycles."}
    model_server.will(bad, {"text": GOOD})
    assert drafter(provider).post(BRIEF, handbook="", fits=anything).text == GOOD + "\n"
    assert len(model_server.asked) == 2
    model_server.will(bad, bad, bad)
    with pytest.raises(DrafterRefused):
        drafter(provider).post(BRIEF, handbook="", fits=anything)


def test_what_the_network_does_not_take_is_asked_for_again(drafter: Any, model_server: Any) -> None:
    def short(text: str) -> None:
        if len(text) > 30:
            raise ValueError("it is too long")

    model_server.will({"text": GOOD}, {"text": "We repair bicycles."})
    assert drafter("openai").post(BRIEF, handbook="", fits=short).text == "We repair bicycles.\n"
    assert "it is too long" in str(model_server.asked[1])


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("We repair 12 bicycles a day.", "a number"),
        ("Half of Kiel comes to us.", "a number"),
        ("Come on Monday.", "a day or month"),
        ("Wir reparieren Räder, kommen Sie am Montag zu uns in die Werkstatt.", "a day or month"),
        ("We repair the bicycles of Jane.", "a name"),
        ("Ada Lovelace repairs here.", "a name"),
        ("Wir sind die Werkstatt von Angela Merkel und der Stadt.", "a name"),
        ("Repairs are free of charge.", "a promise"),
        ("Réparations à Kiel, gratuit.", "a promise"),
        ("See https://other.example/ for more.", "a link"),
        ("Write to us@other.example please.", "an address"),
        ("Only 5 EUR.", "an amount"),
        ("Thanks @mayor for coming.", "mention or hashtag"),
        ("We repair. #awardwinning", "mention or hashtag"),
        ("We repair ![x](y)", "plain text"),
        ("Wir reparieren Räder und die Werkstatt ist in Kiel.", "in German"),
        (" ", "empty"),
    ],
)
def test_a_post_says_nothing_that_the_owner_did_not_give(text: str, what: str) -> None:
    with pytest.raises(UnfitDraft, match=what):
        checked_post(text, BRIEF, handbook="")


MAKE = "We repair bicycles of every make. Most of it is done while you wait."


def about(words: str) -> Brief:
    return Brief(network="Mastodon", longest=500, unit="characters", words=words, facts=())


INVENTED = [
    *(("a number", text) for text in (
        "fifteen years of repair", "seventy shops", "Bicycles at ½ the cost", "in ninety days", "a dozen bicycles",
        "a thousand bicycles", "sixty-five", "¾ of it", "a third of it", "twice", "tenfold",
        "seit fünfzehn Jahren", "fünfundsiebzig", "zweihundert", "dreißigjährig", "ein Drittel", "dreissig",
        "quinze ans", "les quatre-vingts", "onze", "un tiers", "une centaine",
        "la bicyclette est à vous pour seize ans",
        "quince años", "sesenta", "quinientas", "dieciséis", "un tercio", "las once de la tarde para los que no",
    )),
    *(("a promise", text) for text in (
        "We have a lifetime warranty", "with free delivery", "satisfaction guaranteed", "or your money back",
        "We will repair it for free", "full refund", "free on every make", "free to all", "I’ll send it",
        "every repair is free", "free-of-charge", "at no cost",
        "mit Garantie", "kostenfrei", "gratis", "Geld zurück", "wir erstatten", "Zufriedenheitsgarantie", "umsonst",
        "avec garantie", "c'est gratuit", "remboursement", "sans frais", "con garantía", "reembolso", "es gratuito",
        "te devolvemos", "sin coste",
    )),
    *(("a day or month", text) for text in (
        "open on weekends", "open tonight", "from next month", "this evening", "in May", "am Wochenende",
        "nächsten Monat",
        "übermorgen", "bis morgen", "le week-end", "aujourd’hui",
        "ce soir", "le mois prochain", "el fin de semana", "esta noche",
        "el próximo mes", "abrimos mañana",
    )),
    *(("a link", text) for text in (
        "cheaprepairs.store", "see bikes.bike for more", "Bikes.Bike", "make.repair", "a.bike/now", "@bikes.com",
        "w.bike.",
        "repair.pdf", "every make.most of it",
    )),
    *(("mention or hashtag", text) for text in (
        "＠acmebikes", "＃sale", "bicycles @make", "@pair", "#cycles", "#pair", "#ofmost", "@repair", "#make_wait",
    )),
]  # fmt: skip


@pytest.mark.parametrize(("what", "text"), INVENTED)
def test_an_invention_is_seen_in_any_spelling_and_language(what: str, text: str) -> None:
    with pytest.raises(UnfitDraft, match=what):
        checked_post(f"We repair: {text}", about(MAKE), handbook="")


@pytest.mark.parametrize(
    "text", [text for _, text in INVENTED if text not in {"#ofmost", "#make_wait", "every make.most of it"}]
)
def test_what_was_given_may_be_said_again(text: str) -> None:
    said = f"We repair: {text}"
    assert checked_post(said, about(f"{MAKE} {text.replace('#', '')} {text}"), handbook="") == f"{said}\n"


@pytest.mark.parametrize(
    "text",
    [
        "We repair bicycles of every make, e.g. while you wait.", "Bicycles.Most of it is done while you wait.",
        "Most of it, i.e. every make, is done.", "Feel free to wait.",
        "You’re free to wait.", "We are free while you wait.",
        "#bicycles #everymake #repair_bicycles",
        "We repair bicycles... of every make!", "It is done (p.ej. while you wait).", "Done: #WhileYouWait.",
        "We repair.We wait", "You may wait.", "Scaffold. Seize it once.", "guten morgen", "por la mañana",
    ],
)  # fmt: skip
def test_what_only_looks_like_an_invention_may_be_said(text: str) -> None:
    assert checked_post(text, about(MAKE), handbook="")


def test_a_mention_and_a_host_are_said_as_they_were_given() -> None:
    brief = about("Ask @kiel@social.example, or see www.bikes.bike and https://bikes.bike/#top. Our Acme™ bicycles: ½.")
    assert checked_post("See bikes.bike, https://bikes.bike/#top. Our Acme bicycles: @kiel@social.example. ½", brief,
                        handbook="")  # fmt: skip
    with pytest.raises(UnfitDraft, match="mention"):
        checked_post("Ask @kiel.", brief, handbook="")


def test_what_the_handbook_lets_be_told_may_be_said() -> None:
    handbook = "## What may be told\n\n- We open at 9:00, Monday to Saturday.\n"
    assert checked_post("In Kiel, from Monday at 9:00.", BRIEF, handbook=handbook)


@given(st.lists(st.sampled_from(WORDS.split()), min_size=1, max_size=12))
def test_the_owners_words_in_any_order_invent_no_number_day_or_promise(words: list[str]) -> None:
    found = {what for what, _ in inventions.found(" ".join(words), WORDS)}
    assert not found


def test_steps_are_lines_without_what_the_owner_did_not_say() -> None:
    wish = 'Answer jane@customer.example about "the plan" and tell Mastodon.'
    lines = ('read: from jane@customer.example about "the plan"', "reply: step 2: Say yes.", "wait: step 3")
    assert checked_steps(lines, wish) == lines
    for line in ("read: from eve@evil.example", "invoice: customer: Bob; 2 hours at 50.00", "post: x: Ask Bob"):
        with pytest.raises(UnfitDraft):
            checked_steps((line,), wish)


@BOTH
def test_steps_are_proposed_by_the_model_and_held_to_the_callers_list(
    drafter: Any, model_server: Any, provider: str
) -> None:
    def closed(steps: Any) -> None:
        if steps != ("ask: Which mail?",):
            raise ValueError("no plan has such a step")

    model_server.will({"steps": ["pay: everything"]}, {"steps": ["ask: Which mail?"]})
    assert drafter(provider).steps("Answer them.", handbook="", fits=closed).steps == ("ask: Which mail?",)
    assert "no plan has such a step" in str(model_server.asked[1])


def test_offline_the_words_stay_the_owners_and_no_steps_are_proposed() -> None:
    offline = OfflineDrafter()
    assert offline.post(BRIEF, handbook="", fits=anything).text == WORDS
    assert offline.post(BRIEF, handbook="", fits=anything).by == OWN
    assert offline.steps("Answer them.", handbook="", fits=anything).steps == ()
