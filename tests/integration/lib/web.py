"""A plain broker with the web port: what the tests of web/ start."""
from programs import WIREPOST, free_port

CONFIG = """
gateway:
  data_dir: {folder}
broker:
  listeners:
    - {{port: {port}, bind: 127.0.0.1}}
web:
  listen: {{port: {web_port}, bind: "{bind}"}}
  allowed_hosts: [plant7.local]
"""


class WebSite:
    """program, port (MQTT over TCP), web_port."""

    def __init__(self, workplace, bind="127.0.0.1", web_port=None, wait=True):
        self.port, self.web_port = free_port(), web_port or free_port()
        self.workplace = workplace
        self.config = workplace.write(f"web-{self.web_port}.yaml", CONFIG.format(
            folder=workplace.path(f"data-{self.web_port}"), port=self.port, web_port=self.web_port, bind=bind))
        self.program = self.start(wait)

    def start(self, wait=True):
        return self.workplace.start([WIREPOST, "run", "-c", self.config],
                                    ready=r"web: listening on" if wait else None, port=self.port if wait else None)
