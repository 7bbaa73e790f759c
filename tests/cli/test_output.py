"""What verbs print."""

from nearnet.cli.output import print_json, print_table, printable, warn


def test_tables_are_aligned(capsys):
    print_table(("a", "long"), [(1, None), ("four", "x\x1b[31m")])
    assert capsys.readouterr().out == "a     long\n1     -\nfour  x\N{REPLACEMENT CHARACTER}[31m\n"


def test_json_is_one_line(capsys):
    print_json({"a": "é\n"})
    assert capsys.readouterr().out == '{"a": "é\\n"}\n'


def test_warnings_go_to_stderr(capsys):
    warn("careful")
    assert capsys.readouterr().err == "nearnet: careful\n"
    assert printable("é x") == "é x"
