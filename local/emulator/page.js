// Keeps the fleet and the last calls as they are now. The form, what is open and what has the focus stay.
"use strict";

const SECONDS = 2;
const PARTS = ["now", "fleet", "calls"];

const live = document.getElementById("live");
const silence = document.getElementById("silence");

function put(shown, fresh) {
    for (const open of shown.querySelectorAll("details[open]")) {
        const same = fresh.querySelector(`#${open.id}`);
        if (same) same.open = true;
    }
    if (shown.isEqualNode(fresh)) return;
    const selection = getSelection();
    if (!selection.isCollapsed && selection.containsNode(shown, true)) return; // somebody is about to copy it
    const focused = shown.contains(document.activeElement) ? document.activeElement.id : "";
    shown.replaceWith(fresh);
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

async function refresh() {
    if (document.hidden || !live.checked) return;
    try {
        const answer = await fetch("/", { headers: { Accept: "text/html" } });
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        if (live.checked) {
            for (const id of PARTS) put(document.getElementById(id), page.getElementById(id));
        }
        silence.hidden = true;
    } catch {
        silence.hidden = false;
    }
}

async function go() {
    await refresh();
    setTimeout(go, SECONDS * 1000);
}

document.getElementById("refreshes").hidden = false;
live.addEventListener("change", refresh);
setTimeout(go, SECONDS * 1000);
