"""The page on the server itself: the demo market, from the link to the verdict."""

import os
import re
import signal
import subprocess
import sys

import pytest
from browsing import Opened
from stand_in import ROOT


@pytest.mark.slow
@pytest.mark.fault("W20")
def test_the_demo_is_served_from_the_link_to_the_verdict(browser, tmp_path):
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "XDG_STATE_HOME": str(tmp_path)}
    server = subprocess.Popen(
        [sys.executable, "-m", "airpocket", "serve", "--demo", "--port", "0"],
        cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    assert server.stdout is not None
    try:
        link = next(
            found[0] for line in server.stdout if (found := re.search(r"http://\S+/#t=\S+", line))
        )
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        opened = Opened(context.new_page(), link.partition("/#")[0])
        opened.page.goto(link)
        opened.page.set_default_timeout(300_000)
        opened.page.wait_for_selector("#verdict .machine .now")
        opened.page.wait_for_selector(".legend")
        opened.page.wait_for_selector("svg.fuel")
        opened.page.get_by_text("SIMULATED", exact=True).first.wait_for()
        price = opened.page.locator(".last .val")
        # the tape moves the price
        opened.page.locator(f".last .val:not(:text-is('{price.inner_text()}'))").wait_for()
        assert opened.complaints == []
        assert all(
            url.startswith((opened.address, "ws://127.0.0.1:", "data:")) for url in opened.asked
        )
        context.close()
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(20)
        server.stdout.close()
