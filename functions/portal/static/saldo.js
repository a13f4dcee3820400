// Adds comfort, never function: every page works without it.
"use strict";
for (const form of document.querySelectorAll("form[data-selection]")) {
  const out = form.querySelector("[data-total]"), boxes = [...form.querySelectorAll("input[name=pay]")];
  const language = form.dataset.language;
  const parts = new Intl.NumberFormat(language, { minimumFractionDigits: 1 }).formatToParts(11111.1);
  const group = (parts.find((p) => p.type === "group") || {}).value || "";
  const digits = (currency) => new Intl.NumberFormat(language, { style: "currency", currency }).resolvedOptions().maximumFractionDigits;
  const typed = (box) => {
    const field = box.dataset.amount && document.getElementById(box.dataset.amount);
    const scale = 10 ** digits(box.dataset.currency);
    if (!field) return Number(box.dataset.minor) / scale;
    const text = field.value.replaceAll(" ", "").replaceAll("\u00a0", "").replaceAll(group, "").replace(",", ".");
    return Number(text) || 0;
  };
  const picked = () => boxes.filter((b) => b.checked || b.type === "hidden");
  const show = () => {
    const chosen = picked(), sums = new Map();
    for (const b of chosen) sums.set(b.dataset.currency, (sums.get(b.dataset.currency) || 0) + typed(b));
    const money = [...sums].map(([currency, sum]) => new Intl.NumberFormat(language, { style: "currency", currency }).format(sum));
    const count = chosen.length === 1 ? form.dataset.one : form.dataset.other;
    out.textContent = chosen.length ? `${count.replace("{n}", chosen.length)} · ${money.join(" + ")}` : form.dataset.none;
    for (const b of boxes) b.closest("tr")?.classList.toggle("picked", b.checked);
  };
  form.addEventListener("input", (event) => {
    const box = event.target.id && boxes.find((b) => b.dataset.amount === event.target.id);
    if (box) box.checked = true;
    show();
  });
  for (const link of form.querySelectorAll("a[href]")) if (link.pathname === location.pathname) link.addEventListener("click", () => {
    const there = new URL(link.href);
    there.searchParams.delete("pay");
    for (const b of picked()) there.searchParams.append("pay", b.value);
    link.href = there.href;
  });
  show();
}
const waiting = document.querySelector("[data-refresh]");
if (waiting) setTimeout(() => location.reload(), Number(waiting.dataset.refresh) * 1000);
for (const open of document.querySelectorAll("details.switch")) {
  document.addEventListener("click", (event) => { if (!open.contains(event.target)) open.open = false; });
  open.addEventListener("keydown", (event) => { if (event.key === "Escape") { open.open = false; open.querySelector("summary").focus(); } });
}
const ending = document.querySelector("[data-ends]");
if (ending) {
  const plan = (left) => { ending.hidden = left > 300; if (left > 300) setTimeout(() => { ending.hidden = false; }, (left - 300) * 1000); };
  plan(Number(ending.dataset.ends));
  ending.querySelector("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = new URLSearchParams(new FormData(event.target));
    const answer = await fetch("/session/extend", { method: "POST", body, headers: { Accept: "application/json" } });
    if (answer.ok) plan((await answer.json()).ends_s); else location.reload();
  });
}
const puzzled = document.querySelector("form[data-puzzle]");
if (puzzled && window.crypto && crypto.subtle) (async () => {
  const puzzle = puzzled.dataset.puzzle, bits = parseInt(puzzle), text = new TextEncoder(), button = puzzled.querySelector("button");
  button.disabled = true;
  for (let n = 0; ; n++) {
    const d = new Uint8Array(await crypto.subtle.digest("SHA-256", text.encode(`${puzzle}.${n}`)));
    if (((d[0] << 16) | (d[1] << 8) | d[2]) >>> (24 - bits) === 0) { puzzled.elements.solution.value = n; break; }
  }
  button.disabled = false;
})();
if (window.PublicKeyCredential && PublicKeyCredential.parseRequestOptionsFromJSON) for (const button of document.querySelectorAll("[data-passkey]")) {
  const form = button.form, told = form.querySelector("[data-told]");
  button.hidden = false;
  button.addEventListener("click", async () => {
    button.disabled = true;
    told.hidden = true;
    try {
      const asked = await fetch(button.dataset.passkey, { method: "POST", body: new URLSearchParams(new FormData(form)), headers: { Accept: "application/json" } });
      const { title, get, create } = await asked.json();
      if (title) throw title;
      const made = create ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(create) })
        : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(get) });
      form.elements.passkey.value = JSON.stringify(made);
      form.submit();
    } catch (why) {
      told.textContent = typeof why === "string" ? why : told.dataset.told;
      told.hidden = button.disabled = false;
    }
  });
}
