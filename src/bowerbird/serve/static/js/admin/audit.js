/** The audit log: who did what and when, whether the chain holds, and older lines on request. */

import { call } from "../api.js";
import { byId, fill, h, icon } from "../dom.js";
import { count, fullDate } from "../format.js";
import { Section, none } from "./section.js";
import { badge, table } from "./table.js";
import { moment } from "./words.js";

const PAGE = 100;
let shown = PAGE;

const ACTORS = { system: "Bowerbird itself", nobody: "nobody signed in" };

const when = (at) => [h("div", {}, moment(at)), h("div", { class: "aside" }, fullDate(at))];
