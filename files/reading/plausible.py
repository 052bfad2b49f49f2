"""Whether a text reads as people write: how plausible bytes are in an encoding.

Bytes read in a wrong encoding give letters of several scripts in one word, capitals
within words, signs between letters, or words of nothing but accents.
"""

import unicodedata
from functools import lru_cache
from itertools import groupby

_SIGNS = frozenset(
    "€£¥¢§©®™°±²³µ·¹º»«¼½¾¿¡×÷‘’‚“”„–—…•‰†‡\xa0、。「」・〜！（）％＆，：；"
)
_EAST = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "FULLWIDTH", "KATAKANA-HIRAGANA")
_CASED = ("LATIN", "CYRILLIC", "GREEK")
_ICELANDIC, _BESIDE_THEM = frozenset("ÐÞðþ"), frozenset("æÆáíúóÁÍÚÓ")
_JOINING = "’·–—\u30fb"
_LONGEST_HALF, _LONGEST_ACCENTS = 3, 3


# Letters that are usual in the languages of an encoding.
_WEST = "äöüÄÖÜßàâáãåæçèéêëìíîïñòóôõøùúûœÀÁÂÅÆÇÈÉÊËÍÑÓÔÕØÚŒ"
_EAST_EUROPE = "ąćęłńóśźżĄĆĘŁŃÓŚŹŻáčďéěíňřšťúůýžÁČĎÉĚÍŇŘŠŤÚŮÝŽőűŐŰäöüÄÖÜßôľăâîđĐ"
_RUSSIAN = "абвгдежзийклмнопрстуфхцчшщъыьэюяёіїєґ"
_GREEK = "αβγδεζηθικλμνξοπρστυφχψωςάέήίόύώϊϋΆΈΉΊΌΎΏ"
_USUAL = {
    **dict.fromkeys(("cp1252", "iso8859_15", "mac_roman", "cp850", "cp437"), _WEST),
    **dict.fromkeys(("cp1250", "iso8859_2", "cp852"), _EAST_EUROPE),
    **dict.fromkeys(
        ("cp1251", "koi8_r", "cp866", "mac_cyrillic"), _RUSSIAN + _RUSSIAN.upper()
    ),
    "cp1253": _GREEK + _GREEK.upper(),
    "cp1254": "çğıöşüâîûÇĞİÖŞÜ",
    "cp1255": "אבגדהוזחטיךכלםמןנסעףפץצקרשת",
    "cp1256": "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىيپچژگ",
    "cp1257": "āčēģīķļņšūžĀČĒĢĪĶĻŅŠŪŽąęėįųĄĘĖĮŲäöõüÄÖÕÜ",
    "cp1258": "ăâđêôơưĂÂĐÊÔƠƯáàéèíóòúù",
}
# Where the usual characters of East Asia stand: lead bytes, from and to.
_LEADS = {
    "cp932": (0x81, 0x97),
    "gb18030": (0xB0, 0xD7),
    "big5": (0xA4, 0xC6),
    "euc_kr": (0xB0, 0xC8),
    "euc_jp": (0xA4, 0xCF),
}
_FULL_OF_ACCENTS = ("cp1250", "iso8859_2", "cp852")
_WITH_KANA = ("cp932", "euc_jp")
_VOWELS = frozenset("aeiouyæøœıаеёиоуыэюяіїєαεηιουω")
_A_LITTLE = 0.3
_VERY_LITTLE = 0.01
_SHORT = 2


def share(text: str, codec: str) -> float:
    """Return how much of what is beyond ASCII stands where it may, from 0 to 1."""
    total = sum(not char.isascii() for char in text)
    if not total:
        return 1.0
    odd = _A_LITTLE * sum(_is_unusual(char, codec) for char in text)
    for script, run in groupby(text, _script):
        odd += _odd_in(script, "".join(run), codec)
    if not _BESIDE_THEM & set(text):
        odd += sum(char in _ICELANDIC for char in text)
    if codec in _WITH_KANA and not any("\u3040" <= char <= "\u30ff" for char in text):
        odd += _VERY_LITTLE * total
    odd += _odd_neighbours(text)
    return max(0.0, 1 - odd / total)


@lru_cache(maxsize=4096)
def _script(char: str) -> str:
    """Return the script of a letter, "" for all that is none."""
    if char.isascii():
        return "LATIN" if char.isalpha() else ""
    if unicodedata.category(char)[0] not in "LM" or char in "ºª":
        return ""
    name = unicodedata.name(char, "").split(" ")[0]
    return "EAST" if name in _EAST else name


def _odd_in(script: str, run: str, codec: str) -> float:
    """Count what is odd in letters of one script that stand together."""
    beyond = [char for char in run if not char.isascii()]
    if not script:
        return sum(not _is_sign(char) for char in beyond)
    if script == "HALFWIDTH":
        return len(beyond) if len(run) < _LONGEST_HALF else 0
    if script not in _CASED:
        return 0
    is_accents = script == "LATIN" and len(beyond) == len(run) >= _LONGEST_ACCENTS
    if is_accents and codec not in _FULL_OF_ACCENTS:
        return len(beyond)
    if beyond and len(run) > _SHORT and not _has_vowel(run):
        return len(beyond)
    capitals = sum(
        before.islower() and after.isupper() and not (before + after).isascii()
        for before, after in zip(run, run[1:], strict=False)
    )
    # A name begins with a capital; the letters of Hebrew read as Cyrillic never do.
    return capitals + (script != "LATIN" and run.islower()) * _A_LITTLE


def _has_vowel(run: str) -> bool:
    return not _VOWELS.isdisjoint(unicodedata.normalize("NFD", run.lower()))


@lru_cache(maxsize=4096)
def _is_unusual(char: str, codec: str) -> bool:
    """Whether a letter is none that the languages of an encoding are written with."""
    script = _script(char)
    if char.isascii() or not script:
        return False
    if script == "EAST" and codec in _LEADS:
        first, last = _LEADS[codec]
        return not first <= char.encode(codec, "replace")[0] <= last
    return codec in _USUAL and char not in _USUAL[codec]


def _is_sign(char: str) -> bool:
    return char in _SIGNS


def _odd_neighbours(text: str) -> float:
    """Count signs between letters, and letters of two scripts side by side."""
    around = zip(" " + text, text, text[1:] + " ", strict=False)
    return sum(_is_misplaced(*near) for near in around if not near[1].isascii())


def _is_misplaced(before: str, char: str, after: str) -> bool:
    script = _script(char)
    if not script:
        is_between = before.isalpha() and after.isalpha() and char not in _JOINING
        is_power = char in "¹²³" and not after.isalpha() and before.isascii()
        return is_between or (char in "¹²³" and not is_power)
    if unicodedata.category(char)[0] == "M" and _script(before) != script:
        return True
    near = {_script(before), _script(after)} - {"", script}
    return bool(near - {"HALFWIDTH"} if script == "EAST" else near)
