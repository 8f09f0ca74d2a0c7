from __future__ import annotations

import pytest

from heliograph.perception.language import guess_language


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Please pay the total amount within 30 days of the date of this invoice."),
        ("de", "Bitte überweisen Sie den Betrag bis zum 14. März auf das unten genannte Konto."),
        ("fr", "Nous vous prions de régler le montant de la facture dans un délai de 30 jours."),
        ("es", "El importe de la factura se pagará en el plazo de 30 días por transferencia."),
        ("it", "Il pagamento della fattura è previsto entro 30 giorni dalla data di emissione."),
        ("nl", "Wij verzoeken u het bedrag van de factuur binnen 30 dagen te voldoen op onze rekening."),
        ("zh", "请在三十天之内支付发票总金额到以下账户"),
        ("ja", "この請求書の合計金額を三十日以内にお支払いください"),
        ("ru", "Просим оплатить счёт в течение тридцати дней"),
    ],
)
def test_a_sentence_gives_its_language_away(language: str, text: str) -> None:
    assert guess_language([text]) == language


def test_numbers_and_names_give_no_language() -> None:
    assert guess_language(["12.50 14.03.2024", "XJ-2201", "Kodak"]) is None
