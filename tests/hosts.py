"""Hosts that the settings allow, for tests with servers of their own."""


class ThisMachine(list[tuple[str, int]]):
    """Stands for a setting that names every port of this machine."""

    def __contains__(self, endpoint: object) -> bool:
        return isinstance(endpoint, tuple) and endpoint[0] == "127.0.0.1"


class EveryHost(list[tuple[str, int]]):
    """Stands for a setting that names all hosts with all their ports."""

    def __contains__(self, endpoint: object) -> bool:
        return True


EVERY_HOST = EveryHost()
