"""nearnet config: what the config is, and where each value comes from."""

# Without postponed annotations, as typer reads them (see `app.py`).
import json

from nearnet.cli.app import new_app
from nearnet.cli.options import HomeOption, JsonOption, SetOption, load_home
from nearnet.cli.output import print_json, print_table, warn

__all__ = ["app", "show", "validate"]

app = new_app("The config: defaults, then config.json, then NEARNET_ variables, then flags.")


@app.command()
def show(home: HomeOption = None, settings: SetOption = None, as_json: JsonOption = False) -> None:
    """Every value and its origin.

    Example: nearnet config show --set network.max_num_peers=10
    """
    _, loaded = load_home(home, settings or ())
    for warning in loaded.warnings:
        warn(warning)
    values = loaded.values()
    if as_json:
        print_json({path: {"value": value, "origin": loaded.origins[path]} for path, value in values.items()})
    else:
        rows = [(path, loaded.origins[path], json.dumps(value, ensure_ascii=False)) for path, value in values.items()]
        print_table(("field", "origin", "value"), rows)


@app.command()
def validate(home: HomeOption = None, settings: SetOption = None, as_json: JsonOption = False) -> None:
    """Say all that is wrong with the config; exit code 2 when anything is.

    Example: nearnet config validate --home ~/.nearnet
    """
    found, loaded = load_home(home, settings or ())
    for warning in loaded.warnings:
        warn(warning)
    if as_json:
        print_json({"valid": True, "warnings": list(loaded.warnings)})
    else:
        print(f"{found.config_path} is valid")
