"""The compiled protobuf code that is checked in says what `network.proto` says (`make proto`)."""

from __future__ import annotations

from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from grpc_tools import protoc

from nearnet.wire.protobuf import network_pb2

SOURCE = Path(network_pb2.__file__).parents[3]


def test_the_compiled_code_is_current(tmp_path: Path) -> None:
    """The layout is compared and not the code, which differs from one release of the compiler to the next."""
    out = tmp_path / "descriptors"
    name = "nearnet/wire/protobuf/network.proto"
    assert protoc.main(["protoc", f"--proto_path={SOURCE}", f"--descriptor_set_out={out}", name]) == 0
    (fresh,) = FileDescriptorSet.FromString(out.read_bytes()).file
    for message in fresh.message_type:
        _drop_json_names(message)
    assert fresh == FileDescriptorProto.FromString(network_pb2.DESCRIPTOR.serialized_pb)


def _drop_json_names(message: object) -> None:
    """The compiler derives them; the checked-in form leaves them out."""
    for field in message.field:
        field.ClearField("json_name")
    for nested in message.nested_type:
        _drop_json_names(nested)


def test_the_types_are_those_of_the_code() -> None:
    stub = Path(network_pb2.__file__).with_suffix(".pyi").read_text()
    for name, message in network_pb2.DESCRIPTOR.message_types_by_name.items():
        assert f"class {name}(_message.Message):" in stub
        for field in message.fields:
            assert f"{field.name.upper()}_FIELD_NUMBER" in stub
