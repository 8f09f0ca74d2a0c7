import json
import logging
import sys

from heliograph.cli.logs import JsonLines


def test_a_record_is_one_line_of_json():
    try:
        raise ValueError("two\nlines")
    except ValueError:
        record = logging.LogRecord("heliograph.x", logging.WARNING, "x.py", 1, "said %s", ("ü\n",), sys.exc_info())
    line = JsonLines().format(record)
    assert "\n" not in line
    told = json.loads(line)
    assert (told["level"], told["logger"], told["message"]) == ("warning", "heliograph.x", "said ü\n")
    assert "ValueError: two\nlines" in told["error"]
    assert told["time"].endswith("+00:00")
