"""The words and turns of prompts that `wording` knows."""

from __future__ import annotations

import re


def _pattern(*parts: str) -> re.Pattern[str]:
    return re.compile("".join(parts), re.IGNORECASE | re.DOTALL)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# -- sentences ---------------------------------------------------------------------------------------------------------

VERBS = (
    r"extract(?:s|ing|ion of)?|extraction:|extrahiere?n?|extraire|extrais|extrayez|extraer|extrae|estrai|estrarre",
    r"(?:pull|captur|collect|gather|get|find|identif(?:y|ies)|grab|retriev|parse|need|want|fetch|determin|obtain|transcrib|locat|detect|tak|select|"
    r"read|lies|finde|suche|trouve|encuentra|trova|leggi|lee|lis)(?:e?s|es|ing|e)?(?: out(?! of))?|lists?|listing all",
    r"(?:return|giv|provid|tell|produc|respond|fill|show|convert|turn|transform|summari[sz]|analy[sz]|classif|count)"
    r"(?:e?s|e|y|ies|ing)?(?: (?:me|us|back|in|out))?|(?:output|report|record|note|answer)s?|what(?:['’]s| is| are)|includes?|gib|liste",
)
ASKING = [_pattern(r"(?<![\w-])(?<!\ba )(?<!\ban )(?<!\bthe )(?:", verbs, r")(?![\w-])") for verbs in VERBS]
"""Words that ask for values, those first that seldom mean anything else."""
LEADING_VERB = _pattern(r"(?:(?:please|then|also|finally|next)\s+)*(?:", "|".join(VERBS), r")\s+(?:me\s+|us\s+)?")
RULE = _pattern(
    r"\s*(?:do not|don['’]?t|never|always|ignore|skip|exclude|avoid|use|make|ensure|keep|format|normali[sz]e|convert (?:all )?dates?|only|",
    r"be|leave|round|prefer|treat|if|when|unless|you (?:are|must|should|will)|",
    r"(?:return|answer|respond|output)\w*\s+(?:(?:with|in|as|an?|only|the|valid)\s+)*",
    r"(?:json|null|nothing|results?|markdown|dates?\s+(?:in|as)))\b",
)
"""How a sentence begins that tells how to answer rather than what."""
SENTENCE = re.compile(r"(?<!\be\.g)(?<!\bi\.e)(?<!\bno)(?<!\betc)(?<!\bincl)[.!?](?=\s|$)|\n\s*\n|\n(?=\s*[A-Z][a-z]+\s+[a-z])")
BULLET = re.compile(r"^(?P<indent>[ \t]*)(?:[-*+•–]|\d{1,2}[.)])[ \t]+(?P<text>\S.*)$")
HEADED = _pattern(
    r"(?:[^,:;]{0,80}?\b)?(?:fields?|keys|columns|values?|properties|attributes|details?|information|info|data|facts|things|following|",
    r"everything|content|(?:totals|amounts|dates)(?=:))\b[^,:;]{0,60}?",
    r"(?::|,?\s*\b(?:such as|like|including|namely)\b:?|—|–|\s-\s)\s*",
)
"""`the following details of each invoice:`"""
FIELDS = _pattern(r"(?:me|us|out|to)\s+|(?:(?:the|these|following)\s+)*(?:fields|columns|keys)\s+(?=[^:]*$)")
OUT_OF = _pattern(
    r"(?:from|for|of|in|on|out of|aus|de|da)\s+(?:(?:the|each|every|an?|all|any|this|these|my|our|your|der|dem|den|la|le|les)\s+)*",
    r"[\w-]+(?:\s[\w-]+){0,2}?\s*(?::|,|(?=\s(?:the|its|their|an?|all|der|die|das)\s))\s*",
)
"""`from each invoice,`"""
INTO = _pattern(
    r"[^,:;]{0,60}?\b(?:into|to(?=\s+(?:an?\s+)?(?:valid\s+|structured\s+)?(?:json|objects?|records?|output|data)\b))\s+(?:(?:an?|valid|structured|json|objects?|records?|fields?|output|data|the)\s+)*",
    r"(?:(?:with|containing|having|including|of|for)\b|:)?\s*",
)
"""`invoices into JSON with`"""
PREAMBLE = _pattern(
    r"\s*(?:please\s+)?(?:read|parse|analy[sz]e|scan|process|open|review|look at|go through|inspect|examine)\b[^,;:.]*?",
    r"(?:,\s*(?:and|then)|\s(?:and|then|to))\s+(?=(?:then\s+)?(?:",
    "|".join(VERBS),
    r")\s)",
)
"""`read the meter and` before the verb that counts."""
DROPPED = _pattern(r"\b(?:but not|except(?: for)?|excluding|ignoring|not including|other than)\b.*")

# -- lists in sentences ------------------------------------------------------------------------------------------------

_JOIN = r"and|&|plus|as well as|along with|together with|und|sowie|et|y|e"
BETWEEN = _pattern(
    rf"\s*(?P<sep>;\s*(?:also\s+|then\s+)?|,\s*(?:(?:{_JOIN})\s+)?(?:also\s+|then\s+)?|\s(?:{_JOIN})\s(?:also\s+|then\s+)?|\s/\s|、|，|\n)\s*",
)
BINOMIALS = _pattern(
    r"\b(terms|shipping|profit|health|goods|pros|rules) (and|&) (conditions|handling|loss|safety|services|cons|regulations)\b"
)
"""What is one thing although there is an `and` in it."""
BRACKETS = re.compile(r"\s*[(\[]([^()\[\]]*)[)\]]")
ONE_OF = _pattern(r",?\s*(?::\s*)?\b(?:(?:which|that) is\s+)?(?:one of|either)[: ]+([^.;:()]{1,200}?\bor\s+[\w-]+)")
DETERMINER = _pattern(
    r"(?:(?:the|an?|any|this|that|these|those|my|our|your|their|its|his|her|both|der|die|das|den|dem|le|la|les|el|los|las|il|lo|gli)\s+|l['’])+"
)
LISTED = _pattern(
    r"(?:(?:an?|the|full|complete|eine|une|una)\s+)*(?:list|array|table|set|liste|lista)s?\s+(?:of|with|der|von|mit|des?|di)\s+"
    r"(?:all\s+)?(?:the\s+)?|(?:all|every|each)\s+(?:of\s+)?(?:the\s+)?"
)
"""`a list of`, `all the`"""
FOR_EACH = _pattern(
    r"(?:for|of|from|per|with)\s+(?:each|every|all)(?:\s+of)?(?:\s+the)?\s+(?P<what>[\w' -]+?)",
    r"(?P<rest>\s*:.*|\s+(?:the|its|their|an?)\s.*)?$",
)
OWNED = _pattern(r"(?P<owner>[\w-]+(?:\s[\w-]+)?)(?:['’]s|(?<=s)['’])\s+(?P<rest>.+)")
COMPOUND = _pattern(r"\w+['’]s?\s+(?:licen[cs]e|degree|compensation|fees?)\b")
"""What is nobody's, although it sounds so: a driver's license."""
OF = _pattern(r"(?P<what>[^,]+?)\s+(?:of|for)\s+(?:the|each|every|an?|this|its|their)\s+(?P<owner>[\w-]+(?:\s[\w-]+)?)$")
WITH = _pattern(
    r"\s+(?:each\s+with|with|including|containing|having|incl\.?|consisting of|mit|avec|con)(?::\s*|\s+)",
    r"(?:(?:their|its|each|the following)\s+)?(?:columns?\s+|fields?\s+)?",
)
TAIL = _pattern(
    r"\s+(?:from|out of|in|on|as|at|for|using|with|including|excluding|without|that|which|who|where|when|if|per|between|under|above|below|",
    r"according|formatted|written|shown|listed|printed|found|expressed|rounded|stated|mentioned|before|after|since|within|to be|to the|",
    r"to this|based|aus|von|dans|depuis|de la|del|dal|di|auf|vom)\s+",
)
"""Where what a field is ends and what is said of it begins."""
PLACED = _pattern(r"\s(?:from|in|on|aus|de|du|del)\s")
WHETHER = _pattern(r"(?:whether|if)\s+(?:or not\s+)?(?:(?:it|they|he|she|this|that)\s+)?(?P<what>.+)")

CHOSEN = _words("type kind category status state priority method channel level mode class sentiment severity")
"""Last words of what is one of a few things; what stands in brackets behind it is never what it is made of."""
SERIES = _words("experience education employment history schedule")
"""Last words of what are mostly several."""
VALUES = _pattern(r"\s+(?:values?|fields?|columns?)$")
DETAILS = _pattern(r"(?P<what>(?:line[- ]?item|transaction|item))s?\s+(?:details|data|information|info)(?!\w)")
PHRASE_OF = _pattern(r"\b(?:of|de|du|del|della|von|for)\b|d['’]|#")

# -- words -------------------------------------------------------------------------------------------------------------

DOCUMENTS = _words(
    "document documents doc file page form invoice receipt bill statement contract agreement report letter scan image photo picture pdf "
    "email card application certificate record text paper attachment transcript meeting call video audio recording referral resume cv "
    "passport order note slip ticket label screenshot scene presentation slide article rechnung rechnungen beleg belege dokument dokumente "
    "facture factures factura facturas fattura fatture quittung quittungen vertrag verträge"
)
ABOUT = _words(
    "information info detail details data field fields value values following everything content contents json output result results "
    "answer object schema format thing things fact facts structured key relevant important main necessary required all available other "
    "basic entities metadata"
)
"""Words for what is asked for that do not say what that is."""
EVERYBODYS = _words(
    "name names first last full given family middle address addresses phone telephone mobile fax number numbers email e-mail mail id ids "
    "tax vat iban bic city country state street zip postal code title role position signature gender sex age account bank contact website "
    "company dob"
)
"""Words of fields that many things have; whose they are has to be said in their names."""
VAGUE = _words("what anything something whatever anyone how why")
"""First words of what is no field."""
GENERAL = _words("date time total amount place location type value")
SHARED = _words("addresses names numbers dates amounts ids emails codes totals prices times balances")
"""`sender and recipient addresses`"""
SIDES = _words(
    "opening closing start end starting ending begin beginning gross net issue due effective termination expiration expiry first last "
    "shipping billing minimum maximum old new previous current buyer seller"
)
"""First words of two fields that share their last one: `opening and closing balance`."""
PARTS = _words("their its")
OUT = _words("from in on for as aus of the each every all de du del des der la le")
TELLING = _words("name title subject description product item number id code sku make model text")
"""Words of columns that say which of the things a row is."""
ROW_WORDS = _words("item items line lines row rows entry entries record records transaction transactions charge charges payment payments")
ROWS: dict[str, list[str]] = {
    "items": ["description", "quantity", "unit_price", "total"],
    "transactions": ["date", "description", "amount"],
}
"""The columns of what everybody knows the columns of."""
ROWS_OF = _words("line invoice receipt order bill bank purchased")
