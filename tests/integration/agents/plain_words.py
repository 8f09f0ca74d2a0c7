"""Requests as people write them, each with what is a right answer to it where no language model is configured."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Result = Literal["artifact", "value", "question", "decline"]


@dataclass(frozen=True)
class Asked:
    """A request. `files`: names among those that the test draws. `right`: results that are right, any of them. `says`: what its answer must
    hold. `calls`: tools that must have been called, in order, each with arguments that it must have had."""

    words: str
    files: tuple[str, ...] = ()
    right: tuple[Result, ...] = ("artifact",)
    says: tuple[str, ...] = ()
    calls: tuple[tuple[str, dict[str, object]], ...] = field(default=())


def _call(name: str, **arguments: object) -> tuple[str, dict[str, object]]:
    return name, arguments


PHOTO, SIGN, CODE, INVOICE, LETTER, TABLE = "photo.jpg", "sign.png", "code.png", "invoice.pdf", "letter.pdf", "sales.pdf"

REQUESTS = (
    # pictures
    Asked("rotate this image 90 degrees clockwise", (PHOTO,), calls=(_call("rotate_image", angle=-90.0),)),
    Asked("can you turn the picture upside down pls", (PHOTO,), calls=(_call("rotate_image", angle=180.0),)),
    Asked("turn it 45° to the left", (PHOTO,), calls=(_call("rotate_image", angle=45.0),)),
    Asked("Crop the image to the left half", (PHOTO,), calls=(_call("crop_image", xywh=[0.0, 0.0, 0.5, 1.0]),)),
    Asked("make it 800 pixels wide", (PHOTO,), calls=(_call("resize_image", width=800),)),
    Asked("resize to 640x480", (PHOTO,), calls=(_call("resize_image", width=640, height=480),)),
    Asked("shrink this to half its size", (PHOTO,), calls=(_call("resize_image", scale=0.5),)),
    Asked("upscale this 4x", (SIGN,), calls=(_call("super_resolution", factor=4),)),
    Asked("make it black and white", (PHOTO,), calls=(_call("grayscale_image"),)),
    Asked("flip the image horizontally", (PHOTO,), calls=(_call("flip_image", direction="horizontal"),)),
    Asked("sharpen this blurry picture a bit", (PHOTO,), calls=(_call("enhance_image"),)),
    Asked("convert to png", (PHOTO,), calls=(_call("convert_image", format="png"),)),
    Asked("whats written on this sign?", (SIGN,), ("value",), ("NO PARKING",)),
    Asked("read the qr code", (CODE,), ("value",), ("https://example.com/42",)),
    Asked("draw a red box around the word TOTAL", (INVOICE,), calls=(_call("visualize_bboxes"),)),
    Asked("make it grayscale and then rotate by 30 degrees", (PHOTO,), calls=(_call("grayscale_image"), _call("rotate_image", angle=30.0))),
    Asked("How many faces are in the photo?", (PHOTO,), ("value",), ("found",), (_call("detect_faces"),)),
    Asked("Blur all the faces in this photo", (PHOTO,), ("artifact", "value"), ("face",), (_call("detect_faces"),)),
    Asked("what's in this picture?", (PHOTO,), ("decline",), ("a model that sees",)),
    Asked("describe the image in two sentences", (PHOTO,), ("decline",), ("a model that sees",)),
    Asked("is the man on the left smiling?", (PHOTO,), ("decline",)),
    Asked("find all the dogs", (PHOTO,), ("decline",)),
    Asked("blur the license plate", (PHOTO,), ("decline", "question")),
    Asked("remove the background", (PHOTO,), ("decline",)),
    Asked("colourise this old photo", (PHOTO,), ("decline",)),
    Asked("Make me a picture of a castle at night", (), ("decline",), ("image model",)),
    Asked("Crop it", (PHOTO,), ("question",)),
    Asked("rotate it", (PHOTO,), ("question",)),
    Asked("resize the image", (PHOTO,), ("question",)),
    Asked("rotate this 90 degrees", (), ("question",), ("Attach",)),
    # documents
    Asked("What is the total?", (INVOICE,), ("value",), ("8,956.08",)),
    Asked("who is the vendor on this invoice", (INVOICE,), ("value",), ("Brightwater",)),
    Asked("when is the invoice due?", (INVOICE,), ("value",), ("8 April 2026",)),
    Asked("Extract the invoice number, date and total as JSON", (INVOICE,), ("value",), ("BW-2026-0318", "invoice_number")),
    Asked("give me the line items", (INVOICE,), ("value",), ("Shutter assembly",)),
    Asked("what kind of document is this?", (INVOICE,), ("value",), ("invoice",)),
    Asked("how many pages does it have?", (LETTER,), ("value",), ("3 pages",)),
    Asked("show me page 2", (LETTER,), calls=(_call("document_images", pages=[1]),)),
    Asked("what does the second page say?", (LETTER,), ("value",), ("warranty",)),
    Asked('find the word "warranty" in the document', (LETTER,), ("value",), ("page 2",)),
    Asked("where does it mention bank details?", (INVOICE,), ("value",)),
    Asked("convert the pdf to markdown", (LETTER,), ("value",), ("Delivery terms",)),
    Asked("summarise the table", (TABLE,), ("value",), ("sum 1,150",)),
    Asked("redact all personal information", (LETTER,), calls=(_call("redact_document"),)),
    Asked("black out the phone numbers", (LETTER,), ("question",)),
    Asked("merge these two pdfs", (INVOICE, LETTER), calls=(_call("merge_documents"),)),
    Asked("merge these", (INVOICE,), ("question",)),
    Asked("split the document into single pages", (LETTER,), calls=(_call("split_document"),)),
    Asked("give me just pages 2-3", (LETTER,), calls=(_call("split_document", parts=[[1, 2]]),)),
    Asked("summarize this contract for me", (LETTER,), ("decline",), ("language model",)),
    Asked("translate it into German", (LETTER,), ("decline",), ("language model",)),
    Asked("why is the total so high?", (INVOICE,), ("decline",), ("language model",)),
    Asked("is this invoice legit?", (INVOICE,), ("decline",)),
    Asked("What is the total?", (), ("question",), ("Attach",)),
    # charts and sums
    Asked(
        "make a bar chart of apples 3, pears 5, plums 2", (),
        calls=(_call("make_chart", kind="bar", labels=["apples", "pears", "plums"], values=[3.0, 5.0, 2.0]),),
    ),
    Asked("pie chart: rent 1200, food 450, transport 130, fun 220", (), calls=(_call("make_chart", kind="pie"),)),
    Asked("plot as a line: 4, 8, 15, 16, 23", (), calls=(_call("make_chart", kind="line", values=[4.0, 8.0, 15.0, 16.0, 23.0]),)),
    Asked(
        "chart the sales from the table in this pdf", (TABLE,),
        calls=(_call("make_chart", labels=["January", "February", "March"], values=[300.0, 400.0, 450.0]),),
    ),
    Asked("plot a chart", (), ("question",)),
    Asked("what's 17% of 2400", (), ("value",), ("408",)),
    Asked("sum up the numbers 12, 30 and 8", (), ("value",), ("50",)),
    # the rest
    Asked("Who are you and what can you do?", (), ("value",), ("embedded planner",)),
    Asked("hello", (), ("value", "question"), ("embedded planner",)),
    Asked("write a haiku about receipts", (), ("decline",), ("language model",)),
    Asked("email this to bob@example.com", (INVOICE,), ("decline",)),
    Asked("list the images we have", (PHOTO, SIGN), ("value",), (PHOTO, SIGN)),
    Asked("what is the capital of France?", (), ("question", "decline")),
    Asked("what is the capital of France?", (INVOICE,), ("value", "decline"), ("did not find",)),
    Asked("asdf qwer zxcv", (), ("question", "decline")),
    # said by somebody who did not know the rules
    Asked("could you tilt the photo a quarter turn to the left? thanks!", (PHOTO,), calls=(_call("rotate_image", angle=90.0),)),
    Asked("its upside down, fix it", (SIGN,), calls=(_call("rotate_image", angle=180.0),)),
    Asked("I need this exactly 300 pixels wide for our website, keep the proportions", (PHOTO,), calls=(_call("resize_image", width=300),)),
    Asked("Half the size please and then save as png", (PHOTO,), calls=(_call("resize_image", scale=0.5), _call("convert_image"))),
    Asked("put these two next to each other in one image", (PHOTO, SIGN), calls=(_call("image_grid"),)),
    Asked("Cut a 200x150 pixel piece from the upper left corner, then turn that piece 90 degrees clockwise.", (PHOTO,),
          calls=(_call("crop_image", xywh=[0.0, 0.0, 0.333333, 0.375]), _call("rotate_image", angle=-90.0))),
    Asked("transcribe teh text in this image", (SIGN,), ("value",), ("NO PARKING",)),
    Asked("who is this invoice from and how much do we owe them", (INVOICE,), ("value",), ("Brightwater", "8,956.08")),
    Asked("How much VAT is charged on this, and what's the net amount before it?", (INVOICE,), ("value",), ("1492.68", "7463.40")),
    Asked("By when does this need to be paid?", (INVOICE,), ("value",), ("8 April 2026",)),
    Asked("please pull out page 2 as its own pdf", (LETTER,), calls=(_call("split_document", parts=[[1]]),)),
    Asked("remove the last page", (LETTER,), calls=(_call("split_document", parts=[[0, 1]]),)),
    Asked("on which page is the warranty mentioned", (LETTER,), ("value",), ("page 2",)),
    Asked("Sum up the sales column in this table", (TABLE,), ("value",), ("1,150",)),
    Asked("(1234 + 5678) * 3 / 4 = ?", (), ("value",), ("5184",)),
    Asked("average of 12, 15, 21 and 40", (), ("value",), ("22",)),
    Asked("line graph please -- mon 4, tue 7, wed 3, thu 9, fri 5 -- title it Visitors", (),
          calls=(_call("make_chart", kind="line", values=[4.0, 7.0, 3.0, 9.0, 5.0], title="Visitors"),)),
    Asked("glue those together, the letter first and then the invoice", (INVOICE, LETTER), ("decline", "question")),
    Asked("Which month had the highest sales?", (TABLE,), ("decline",)),
    Asked("write a friendly reminder email to the customer about this unpaid invoice", (INVOICE,), ("decline",)),
    Asked("How do you think Anna will feel about getting this letter?", (LETTER,), ("decline",)),
    Asked("Don't rotate the picture, just tell me whether it is nicer in landscape or portrait.", (PHOTO,), ("decline", "question")),
)  # fmt: skip
