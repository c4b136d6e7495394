"""Stand-in for py-spinnaker2: addresses."""


class ByteAddr:
    def __init__(self, value):
        self.value = int(value)

    def to_WordAddr(self):
        return self.value // 4
