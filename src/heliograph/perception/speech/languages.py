"""Languages by the names and codes that people and engines give them."""

from __future__ import annotations

NAMES = (
    "af:afrikaans am:amharic ar:arabic as:assamese az:azerbaijani ba:bashkir be:belarusian bg:bulgarian bn:bengali bo:tibetan br:breton "
    "bs:bosnian ca:catalan cs:czech cy:welsh da:danish de:german el:greek en:english es:spanish et:estonian eu:basque fa:persian "
    "fi:finnish fo:faroese fr:french gl:galician gu:gujarati ha:hausa haw:hawaiian he:hebrew hi:hindi hr:croatian ht:haitian_creole "
    "hu:hungarian hy:armenian id:indonesian is:icelandic it:italian ja:japanese jw:javanese ka:georgian kk:kazakh km:khmer kn:kannada "
    "ko:korean la:latin lb:luxembourgish ln:lingala lo:lao lt:lithuanian lv:latvian mg:malagasy mi:maori mk:macedonian ml:malayalam "
    "mn:mongolian mr:marathi ms:malay mt:maltese my:myanmar ne:nepali nl:dutch nn:nynorsk no:norwegian oc:occitan pa:punjabi pl:polish "
    "ps:pashto pt:portuguese ro:romanian ru:russian sa:sanskrit sd:sindhi si:sinhala sk:slovak sl:slovenian sn:shona so:somali sq:albanian "
    "sr:serbian su:sundanese sv:swedish sw:swahili ta:tamil te:telugu tg:tajik th:thai tk:turkmen tl:tagalog tr:turkish tt:tatar "
    "uk:ukrainian ur:urdu uz:uzbek vi:vietnamese yi:yiddish yo:yoruba zh:chinese yue:cantonese"
)
"""The languages that Whisper knows, with its codes: ISO 639-1, but for Hawaiian, Javanese and Cantonese."""
_OF_CODE: dict[str, str] = {entry.partition(":")[0]: entry.partition(":")[2] for entry in NAMES.split()}
_OF_NAME = {name.replace("_", " "): code for code, name in _OF_CODE.items()}


def code(language: str | None) -> str | None:
    """`en` for `en`, `EN`, `en-US` and `English`; what is no language that is known here comes back in small letters, None for nothing."""
    if not language or not language.strip():
        return None
    plain = language.strip().casefold().replace("_", "-")
    return _OF_NAME.get(plain) or plain.split("-")[0]


def name(language: str) -> str:
    """`English` for `en`; a code that is not known here as it is."""
    return _OF_CODE.get(language, language).replace("_", " ").title() if language in _OF_CODE else language
