"""Stand-in for py-spinnaker2: the base of applications."""


class BaseApplication:
    def __init__(self, app_name):
        self.name, self.mem_file = app_name, f"{app_name}.mem"
