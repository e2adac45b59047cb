"""Pages of the dashboard server, as a person uses them in a browser."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from playwright.sync_api import ConsoleMessage, Page, Request, expect

from dashboards.bundle import stable_uuid

# A telemetry pixel is compiled into the pages. The policy blocks it, and the browser says so once a page.
BLOCKED_PIXEL = re.compile(r"Loading the image 'https://apachesuperset\.gateway\.scarf\.sh/pixel/.*Security Policy")
PATIENCE = 60_000


class Visit:
    """A browser tab at the dashboard server, which notes requests to other hosts and what the console complains of."""

    def __init__(
        self, page: Page, address: str, passwords: Mapping[str, str], cookies: dict[str, list[Any]] | None = None
    ) -> None:
        self.page, self.address, self.passwords = page, address, passwords
        self._cookies = {} if cookies is None else cookies
        self.requests_elsewhere: list[str] = []
        self.complaints: list[str] = []
        page.set_default_timeout(PATIENCE)
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("requestfinished", self._note_elsewhere)
        page.on("requestfailed", self._note_failed)
        # What gets past the policy would be answered here, and not by another host.
        page.route(lambda url: not self._is_here(url), lambda route: route.abort("addressunreachable"))

    def _is_here(self, url: str) -> bool:
        return url.startswith((f"{self.address}/", "data:", "blob:"))

    def _note(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not BLOCKED_PIXEL.search(message.text):
            self.complaints.append(message.text)

    def _note_elsewhere(self, request: Request) -> None:
        if not self._is_here(request.url):
            self.requests_elsewhere.append(request.url)

    def _note_failed(self, request: Request) -> None:
        # The policy's refusal is made in the browser: nothing has left it.
        if not self._is_here(request.url) and request.failure != "csp":
            self.requests_elsewhere.append(f"{request.url}: {request.failure}")

    def sign_in(self, name: str) -> None:
        """Sign in by the form, once; later visits have the cookie of the first."""
        if name in self._cookies:
            self.page.context.add_cookies(self._cookies[name])
            return
        self.page.goto(f"{self.address}/login/")
        self.page.fill("#username", name)
        self.page.fill("#password", self.passwords[name])
        self.page.keyboard.press("Enter")
        self.page.wait_for_url("**/welcome/")
        self.page.wait_for_load_state("networkidle")
        self._cookies[name] = list(self.page.context.cookies())

    def sign_out(self) -> None:
        """Forget who is signed in, as another browser would not know."""
        self.page.context.clear_cookies()
        self.page.goto("about:blank")

    def open(self, dashboard: str) -> None:
        """Open a dashboard and wait until its charts are there."""
        self.page.goto(f"{self.address}/superset/dashboard/{dashboard}/")
        self.page.wait_for_selector("[data-test-chart-name]")
        self.settle()

    def settle(self) -> None:
        """Wait until no chart is loading."""
        self.page.wait_for_load_state("networkidle")
        expect(self.page.locator("[data-test='slice-container'] [data-test='loading-indicator']")).to_have_count(0)

    def choose(self, dashboard: str, title: str, choice: str) -> None:
        """Choose a value of a filter and apply it."""
        name = f"NATIVE_FILTER-{stable_uuid(dashboard, f'filter {title}')}"
        box = self.page.locator(f"[data-test='{name}']").first
        box.click()
        box.locator("input").fill(choice)
        self.page.locator(f".ant-select-item-option[title='{choice}']").first.click()
        with self.page.expect_response(lambda answer: "/api/v1/chart/data" in answer.url):
            self.page.locator("[data-test='filter-bar__apply-button']").click()
        self.settle()

    def choices(self, dashboard: str, title: str) -> list[str]:
        """Return what a filter offers."""
        name = f"NATIVE_FILTER-{stable_uuid(dashboard, f'filter {title}')}"
        self.page.locator(f"[data-test='{name}']").first.click()
        self.page.wait_for_selector(".ant-select-item-option")
        offered = self.page.locator(".ant-select-item-option").all_inner_texts()
        self.page.keyboard.press("Escape")
        return [text.strip() for text in offered]

    def headline(self, chart: str) -> str:
        """Return the number that a headline chart shows."""
        return self.page.locator(f"[data-test-chart-name='{chart}'] .header-line").inner_text().strip()

    def expect_headline(self, chart: str, text: str) -> None:
        """Wait until a headline chart shows a text."""
        expect(self.page.locator(f"[data-test-chart-name='{chart}'] .header-line")).to_have_text(text, timeout=PATIENCE)

    def table(self, chart: str) -> list[list[str]]:
        """Return the rows of a table."""
        rows = self.page.locator(f"[data-test-chart-name='{chart}'] tbody tr").all()
        return [row.locator("td").all_inner_texts() for row in rows]

    def errors(self) -> list[str]:
        """Return the titles of charts that show an error."""
        found = self.page.locator("[data-test-chart-name]:has(.ant-alert-error, [data-test='error-alert'])").all()
        return [str(chart.get_attribute("data-test-chart-name")) for chart in found]

    def ask(self, query: Mapping[str, Any], datasource: int) -> tuple[int, Any]:
        """Ask the chart API as the person who is signed in; return the status and the answer."""
        token = self.page.request.get(f"{self.address}/api/v1/security/csrf_token/").json()["result"]
        answer = self.page.request.post(
            f"{self.address}/api/v1/chart/data",
            data={
                "datasource": {"id": datasource, "type": "table"},
                "queries": [dict(query)],
                "result_format": "json",
                "result_type": "full",
            },
            headers={"X-CSRFToken": token, "Referer": self.address},
        )
        return answer.status, answer.json() if "json" in answer.headers.get("content-type", "") else answer.text()

    def keep_picture(self, path: Path) -> None:
        """Keep a screenshot."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.mouse.move(0, 0)
        self.page.screenshot(path=path)
