// <output data-seconds="30">: counts down and then takes the revealed secret
// out of the page. Without this the page's Refresh header leaves it in time.
import { say } from "./live.js";

const box = document.querySelector("[data-seconds]");

function hide() {
  if (!box.isConnected) return;
  document.getElementById("revealed-panel").hidden = true;
  box.remove();
  const hidden = document.getElementById("revealed-gone");
  hidden.hidden = false;
  say("The secret is hidden again");
}

if (box) {
  const end = performance.now() + Number(box.dataset.seconds) * 1000;
  const left = document.getElementById("revealed-left");
  const unit = document.getElementById("revealed-unit");
  const tick = () => {
    const seconds = Math.ceil((end - performance.now()) / 1000);
    if (seconds <= 0) return hide();
    left.textContent = String(seconds);
    unit.textContent = seconds === 1 ? "second" : "seconds";
    setTimeout(tick, 250);
  };
  tick();
  // Neither the back button nor a frozen tab shows it again.
  addEventListener("pagehide", hide);
}
