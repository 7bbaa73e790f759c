import xml.etree.ElementTree as ElementTree

from nearnet.sim.chart import MOST_ROWS, sequence_chart
from nearnet.sim.play import play
from nearnet.sim.scenarios import find

SVG = "{http://www.w3.org/2000/svg}"


def test_a_chart_is_a_picture_of_the_trace():
    result = play(find("8"), trace=True)
    chart = ElementTree.fromstring(sequence_chart(result.trace.lines, "a <ping>"))
    names = [text.text for text in chart.iter(f"{SVG}text") if text.get("class") == "n"]
    assert names == ["0", "1", "2"]
    arrows = [line for line in chart.iter(f"{SVG}line") if line.get("class") == "m"]
    sends = [line for line in result.trace.lines if line["kind"] == "send"]
    assert len(arrows) == len(sends)
    assert all(arrow.get("x1") != arrow.get("x2") for arrow in arrows)
    assert chart.find(f"{SVG}title").text == "a <ping>"


def test_only_the_end_of_a_long_one():
    lines = [{"time": float(n), "kind": "closed", "who": "x", "reason": f"<{n}>"} for n in range(MOST_ROWS + 5)]
    chart = sequence_chart(lines, "long")
    assert "&lt;4&gt;" not in chart
    assert "&lt;5&gt;" in chart
    ElementTree.fromstring(chart)


def test_an_empty_one():
    ElementTree.fromstring(sequence_chart([], "nothing"))
