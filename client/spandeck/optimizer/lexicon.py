"""English word lists of the cache's verifier: what may be left out of a question, and what turns its meaning.

Whatever is not in `DROPPABLE` counts as a content word, so that a word nobody thought of makes two questions
different, never equal.
"""

from typing import Final


def words(text: str) -> frozenset[str]:
    """The words of `text`, which stand between spaces."""
    return frozenset(text.split())


# Words that leave a question the same when they come or go; those with a rule of their own are in the sets below.
DROPPABLE: Final = words(
    """
    a an the is are am be been being was were do does did have has had i me my mine we us our ours you your yours
    he him his she her hers it its they them their theirs this that these those there in on at of for to by with as
    about into onto and or any some what which who whom whose when where why how can could may might should ought
    would will shall must please plz pls actually exactly basically not
    """
)

# Words that show that a text is English; those that other languages write too are left out.
EVIDENCE: Final = words(
    """
    the what how are does my your which who why when where can should with from this that and it have please you
    would could is do about there any need write many much make may did has without
    """
)

NEGATIONS: Final = words("not no never without none nor neither nothing nobody nowhere non cannot hardly")
UNIVERSAL: Final = words("all every each always everything everyone both entire whole")
EXISTENTIAL: Final = words("some any few several sometimes")
QUANTIFIERS: Final = UNIVERSAL | words(
    "few several most more less least fewer only many much half enough average median total maximum minimum top"
)
TIMES: Final = words(
    """
    today yesterday tomorrow tonight now currently current former latest recent recently last next previous first
    morning noon afternoon evening night midnight weekend monday tuesday wednesday thursday friday saturday sunday
    january february march april june july august september october november december spring summer autumn winter
    day week month year hour minute second early late before after until since during while daily weekly monthly yearly
    """
)

PERSONS: Final[dict[str, str]] = {
    **dict.fromkeys(("i", "me", "my", "mine", "we", "us", "our", "ours"), "first"),
    **dict.fromkeys(("you", "your", "yours"), "second"),
    **dict.fromkeys(("he", "him", "his"), "he"),
    **dict.fromkeys(("she", "her", "hers"), "she"),
    **dict.fromkeys(("it", "its"), "it"),
    **dict.fromkeys(("they", "them", "their", "theirs"), "they"),
}

MODALS: Final[dict[str, str]] = {
    **dict.fromkeys(("can", "could", "may", "might"), "possible"),
    **dict.fromkeys(("should", "ought"), "advised"),
    **dict.fromkeys(("will", "shall"), "future"),
    **dict.fromkeys(("was", "were", "did", "had"), "past"),
    **dict.fromkeys(("have", "has"), "having"),
    **dict.fromkeys(("be", "been", "being"), "being"),
    "must": "obliged",
    "would": "conditional",
}

QUESTIONS: Final[dict[str, str]] = {
    **dict.fromkeys(("what", "which"), "what"),
    **dict.fromkeys(("who", "whom"), "who"),
    **{word: word for word in ("whose", "when", "where", "why", "how")},
}

# Behind `how` these make another question: how long.
DEGREES: Final = words(
    "much many long often far old big tall high deep large small wide heavy fast quickly soon late early hot cold well"
)

AUXILIARIES: Final = words(
    "is are am was were do does did has have had can could may might should would will shall must"
)

# A word after one of these stands in a relation that a swap would turn round.
MARKERS: Final[dict[str, str]] = {
    **dict.fromkeys(("to", "into", "onto", "toward", "towards"), "to"),
    **dict.fromkeys(("from", "off"), "from"),
    **dict.fromkeys(("of", "'s"), "of"),
    **{
        word: word
        for word in words(
            "for by with in on at as about than before after without against until since over under above below"
        )
    },
}
# Markers that may stand on one side alone: `to` begins infinitives, `of` has other forms.
LOOSE_MARKERS: Final = frozenset({"to", "of"})
# Markers that people use for one another before the same word, which must not be a number.
LIKE_MARKERS: Final = frozenset(
    map(frozenset, (("in", "on"), ("in", "at"), ("on", "at"), ("of", "for"), ("on", "for")))
)
# After these words `to` begins an infinitive and is no marker.
BEFORE_INFINITIVES: Final = words("how have has had need needs want wants like way able possible allowed safe ought")
# Droppable words that are names where they stand in capitals inside a sentence.
NAMES: Final = frozenset({"May", "Will"})

# After these verbs `in` and `on` are part of the verb: turn on, sign in.
PARTICLE_VERBS: Final = words(
    "turn put log sign get go take switch hold carry move keep bring come call try plug check"
)

# With one of these in it, a text talks about words, and then no word may be left out.
ABOUT_WORDS: Final = words(
    """
    translate translation say says spell spelling pronounce pronunciation mean means meaning rhyme rhymes synonym
    synonyms antonym word words phrase sentence letter letters rewrite rephrase paraphrase proofread grammar correct
    repeat echo type complete
    """
)

SPELLINGS: Final[dict[str, str]] = {
    "e-mail": "email",
    "centre": "center",
    "theatre": "theater",
    "metre": "meter",
    "litre": "liter",
    "grey": "gray",
    "cancelled": "canceled",
    "cancelling": "canceling",
    "travelled": "traveled",
    "travelling": "traveling",
    "catalogue": "catalog",
    "programme": "program",
    "cheque": "check",
    "tyre": "tire",
    "till": "until",
    "percent": "%",
    "dollar": "$",
    "euro": "€",
    **{
        f"{stem}our": f"{stem}or"
        for stem in ("col", "fav", "behavi", "flav", "hon", "neighb", "lab", "harb", "hum", "rum")
    },
    "favourite": "favorite",
    **{
        word: str(number)
        for number, word in enumerate(
            ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"], start=2
        )
    },
}

_ANTONYM_PAIRS: Final = """
    on/off in/out up/down enable/disable lock/unlock open/close start/stop begin/end increase/decrease raise/lower
    import/export upload/download buy/sell add/remove create/delete install/uninstall connect/disconnect
    subscribe/unsubscribe accept/reject allow/deny allow/forbid win/lose pro/con advantage/disadvantage benefit/risk
    before/after with/without safe/unsafe safe/dangerous legal/illegal possible/impossible correct/incorrect
    right/wrong true/false good/bad best/worst better/worse high/low higher/lower highest/lowest big/small
    biggest/smallest large/small largest/smallest long/short longest/shortest fast/slow faster/slower fastest/slowest
    cheap/expensive cheapest/expensive old/new oldest/newest young/old early/late earliest/latest first/last
    more/less most/least more/fewer maximum/minimum hot/cold warm/cool heavy/light strong/weak full/empty rich/poor
    hard/easy hard/soft left/right north/south east/west inside/outside above/below over/under push/pull lend/borrow
    send/receive give/take arrive/depart arrival/departure enter/exit encrypt/decrypt encode/decode compress/expand
    show/hide gain/lose profit/loss income/expense credit/debit public/private male/female man/woman men/women
    mother/father son/daughter husband/wife brother/sister husband/wife morning/evening day/night today/tomorrow
    today/yesterday yesterday/tomorrow past/future current/former ascending/descending positive/negative active/inactive
    online/offline indoor/outdoor internal/external minimum/maximum odd/even all/some all/none always/never
    everyone/nobody love/hate like/dislike agree/disagree appear/disappear mute/unmute follow/unfollow pause/resume
    do/undo freeze/thaw attach/detach merge/split zip/unzip pack/unpack mount/unmount deposit/withdraw hire/fire
    approve/decline approve/reject include/exclude present/absent visible/hidden edible/inedible fresh/stale
    """
ANTONYMS: Final = frozenset(frozenset(pair.split("/")) for pair in _ANTONYM_PAIRS.split())
_OPPOSITE_PREFIXES: Final = ("un", "in", "im", "ir", "il", "dis", "non", "anti", "de", "mis")


def are_opposites(one: str, other: str) -> bool:
    """True where the two words are listed antonyms, or one is the other behind a prefix such as `un`."""
    if frozenset((one, other)) in ANTONYMS:
        return True
    short, long = sorted((one, other), key=len)
    return long.endswith(short) and long[: -len(short)] in _OPPOSITE_PREFIXES
