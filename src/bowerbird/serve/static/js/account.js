/** The account menu of every page, and the banner while an admin sees what somebody else sees. */

import { call } from "./api.js";
import { wireMenu } from "./menus.js";

const all = (selector) => document.querySelectorAll(selector);

async function introduce() {
  const me = await call("GET", "/api/me");
  for (const place of all("[data-my-name]")) place.textContent = me.name || me.handle;
  for (const place of all("[data-my-role]")) place.textContent = me.role;
  for (const place of all("[data-viewing-name]")) place.textContent = me.viewing?.name || me.viewing?.handle || "somebody else";
}

const tell = () => introduce().catch(() => {}); // the words of the page then stay as they are

/** Do it, then go on at an address; what was refused is said in place of the button. */
function leave(button, method, path, next) {
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await call(method, path);
      location.assign(next);
    } catch (problem) {
      button.disabled = false;
      button.textContent = problem.message;
    }
  });
}

const menu = document.getElementById("account-menu");
if (menu) {
  wireMenu(menu, document.getElementById("account-button"));
  menu.addEventListener("toggle", tell, { once: true });
}
for (const button of all("[data-sign-out]")) leave(button, "POST", "/api/signout", "/signin");
for (const button of all("[data-stop-viewing]")) leave(button, "DELETE", "/api/view-as", "/admin/people");
if (all("[data-viewing-name]").length) tell();
