"""Purchase and insertion orders of broadcast advertising: contract, advertiser, flight, spots, gross amount."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from random import Random

from training.drawing.content import (
    Column,
    Content,
    Entries,
    Entry,
    Grid,
    Json,
    Letterhead,
    Line,
    Lines,
    Part,
    Piece,
    Side,
    Title,
    Totals,
    entry,
    line,
    piece,
)
from training.drawing.kinds.schema import asked, day, number, rows, text
from training.drawing.world import World, address_lines

SCHEMAS: dict[str, Json] = {
    "plain": asked(
        "Political ad order",
        contract_num=text("Contract or order number"),
        advertiser=text("Advertiser"),
        gross_amount=number("Gross amount"),
        flight_from=day("First day of the flight"),
        flight_to=day("Last day of the flight"),
        absent=("iban", "passport_number", "blood_type", "vehicle_vin"),
    ),
    "wide": asked(
        "Insertion order",
        order_number=text("Order number"),
        station=text("Call letters of the station"),
        agency=text("Advertising agency"),
        client=text("The advertiser"),
        product=text("Product advertised"),
        account_executive=text("Account executive"),
        start_date=day("Start of the flight"),
        end_date=day("End of the flight"),
        order_date=day("Date of the order"),
        total_spots=number("Number of spots"),
        gross_total=number("Gross total"),
        agency_commission=number("Agency commission"),
        net_total=number("Net total"),
        spots=rows(
            "Spots ordered",
            program=text("Program or time"),
            spots=number("Number of spots"),
            rate=number("Rate of one spot"),
            amount=number("Amount of the line"),
        ),
        absent=("iban", "isbn", "blood_type"),
    ),
}
CAUSES = (
    "Friends of {n}",
    "{n} for Senate",
    "Citizens for {c} Schools",
    "{n} for County Commissioner",
    "Yes on Measure 12",
    "Committee to Elect {n}",
    "{c} Forward PAC",
    "Taxpayers Alliance of {c}",
    "{n} 4 Mayor",
    "Clean Rivers Coalition",
)
PROGRAMS = (
    "M-F 6a-7a Morning News",
    "Early News",
    "Late News M-Su",
    "Prime Rotator",
    "Saturday Sports",
    "M-F 4p-5p Talk",
    "Sunday Public Affairs",
    "Daytime ROS",
    "Wheel Hour 630p-7p",
)
LABELS = {
    "contract": (
        "Contract #",
        "Order #",
        "Order No.",
        "Contract Number",
        "Contract / Revision",
        "Order Number",
        "Estimate/Contract",
        "IO #",
    ),
    "advertiser": ("Advertiser", "Client", "Advertiser Name", "Client Name", "Advertiser/Candidate"),
    "agency": ("Agency", "Ad Agency", "Buying Agency", "Agency Name"),
    "product": ("Product", "Product Desc.", "Brand", "Description"),
    "station": ("Station", "Property", "Station(s)", "Call Letters"),
    "executive": ("Account Executive", "AE", "Salesperson", "Sales Rep"),
    "flight": ("Flight", "Flight Dates", "Contract Dates", "Schedule Dates", "Order Dates", "Hiatus-free Flight"),
    "start": ("Start Date", "Flight Start Date", "Begin", "From", "Flight Start"),
    "end": ("End Date", "Flight End Date", "End", "To", "Thru", "Flight End"),
    "dated": ("Order Date", "Date Entered", "Original Date", "Print Date", "Date"),
    "gross": ("Gross Amount", "Total Gross", "Gross Total", "Gross", "Order Gross", "Total Charges (Gross)", "Gross Billing"),
    "commission": ("Agency Commission", "Commission 15%", "Less Agency Comm."),
    "net": ("Net Amount", "Net Due", "Total Net", "Order Net"),
    "spots": ("Total Spots", "# of Spots", "Units", "Spots"),
    "printed": ("Printed", "Revised", "Confirmation sent"),
}


def content(random: Random) -> Content:
    """An order as stations print it: a block about the order, the spots, the sums; sometimes sums by month beside them."""
    world = World.of(random, "US")

    def say(name: str) -> str:
        return random.choice(LABELS[name])

    station = f"{random.choice('KW')}{world.code_like('@@@')}" + random.choice(("-TV", "", "-FM", " TV 9"))
    advertiser = random.choice(CAUSES).format(n=world.names()[1], c=world.place().city) if world.chance(0.7) else world.firm()
    advertiser = advertiser.upper() if world.chance(0.25) else advertiser
    start = world.day(date(2012, 1, 2))
    end = start + timedelta(days=random.choice((5, 6, 6, 13, 20, 27, 41)))
    form = world.pick("%m/%d/%y", "%m/%d/%Y", "%-m/%-d/%Y", "%b %d, %Y", "%m/%d/%y")
    from_ = piece(world.shown_day(start, form=form), "flight_from", "start_date", value=start.isoformat())
    to = piece(world.shown_day(end, form=form), "flight_to", "end_date", value=end.isoformat())
    spots, gross, count = _spots(world)
    about = [
        entry(say("contract"), world.reference("#######", "######", "####-###", "@#####", "########"), "contract_num", "order_number"),
        Entry(say("advertiser"), [line(advertiser, "advertiser", "client")]),
    ]
    if world.chance(0.6):
        about.append(Entry(say("flight"), [(from_, piece(world.pick(" - ", " to ", " thru ", "-", " – ")), to)]))
    else:
        about += [Entry(say("start"), [(from_,)]), Entry(say("end"), [(to,)])]
    made_on = start - timedelta(days=random.randint(2, 30))
    about.append(entry(say("dated"), world.shown_day(made_on, form=form), "order_date", value=made_on.isoformat()))
    extra = [
        entry(say("agency"), world.firm(), "agency"),
        entry(say("product"), world.pick("Political", "2024 General", "Issue", "Fall Sale", "Estimate 114"), "product"),
        entry(say("station"), station, "station"),
        entry(say("executive"), world.person(), "account_executive"),
        entry(say("printed"), world.shown_day(made_on + timedelta(days=3), form=form) + " 10:41 AM"),
        entry("Estimate", world.code_like("####")),
        entry("Billing Cycle", world.pick("Broadcast", "Calendar", "EOM")),
        entry("Demographic", "A35+"),
        entry("Advertiser Code", world.code_like("4##")),
    ]
    random.shuffle(extra)
    kept = extra[: random.randint(2, 8)]
    random.shuffle(about)
    block = about + kept
    if world.chance(0.4):
        random.shuffle(block)
    place = world.place()
    head: list[Line] = [line(station if world.chance(0.5) else world.firm()), *address_lines(place)]
    if world.chance(0.5):
        head.append(line(world.phone()))
    parts: list[Part] = [Letterhead(head, mark=world.chance(0.3))]
    if world.chance(0.8):
        parts.append(Title(line(world.pick("CONTRACT", "Insertion Order", "Broadcast Order", "Order Confirmation", "Purchase Order"))))
    if world.chance(0.4):
        half = len(block) // 2
        parts.append(Side([Entries(block[:half], columns=1)], [Entries(block[half:], columns=1)]))
    else:
        parts.append(Entries(block))
    parts.append(spots)
    commission = (gross * Decimal("0.15")).quantize(Decimal("0.01"))
    signed = world.chance(0.7)
    amounts = [
        entry(say("spots"), str(count), "total_spots", value=count),
        entry(say("gross"), world.shown_amount(gross, sign=signed), "gross_amount", "gross_total", value=float(gross)),
        entry(say("commission"), world.shown_amount(commission, sign=signed), "agency_commission", value=float(commission)),
        entry(say("net"), world.shown_amount(gross - commission, sign=signed), "net_total", value=float(gross - commission)),
    ]
    keep = amounts[1:2] if world.chance(0.25) else amounts if world.chance(0.6) else amounts[:2]
    parts.append(Totals(keep, keep.index(amounts[1])) if world.chance(0.7) else Entries(keep))
    parts.append(
        Lines(
            [
                line("Station does not discriminate in advertising contracts on the basis of race or ethnicity."),
                line("Signature: ____________________"),
            ],
            small=True,
        )
    )
    return Content(parts, "letter", world.pick(*SCHEMAS))


def _spots(world: World) -> tuple[Grid, Decimal, int]:
    random = world.random
    made: list[list[Piece]] = []
    gross, count = Decimal(0), 0
    for number_ in range(random.choice((2, 3, 5, 8, 12))):
        many, rate = random.randint(1, 12), Decimal(random.choice((25, 40, 75, 120, 200, 350, 600, 1250)))
        at = f"spots.{number_}"
        gross, count = gross + many * rate, count + many
        made.append(
            [
                piece(str(number_ + 1)),
                piece(random.choice(PROGRAMS), f"{at}.program"),
                piece(world.pick(":30", ":60", ":15")),
                piece(str(many), f"{at}.spots", value=many),
                piece(world.shown_amount(rate, sign=True), f"{at}.rate", value=float(rate)),
                piece(world.shown_amount(many * rate, sign=True), f"{at}.amount", value=float(many * rate)),
            ]
        )
    labels = (
        ("Line", "Program / Time", "Length", "Spots", "Rate", "Amount")
        if world.chance(0.5)
        else ("#", "Description", "Len", "Units", "Unit Rate", "Total")
    )
    shares = (0.5, 3, 0.8, 0.8, 1.2, 1.4)
    columns = [Column(label, share, position > 2) for position, (label, share) in enumerate(zip(labels, shares, strict=True))]
    return Grid(columns, made), gross, count
