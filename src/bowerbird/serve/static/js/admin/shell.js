/** What every page of the administration does: the theme, and on a phone the row of pages shows where one is. */

import { wireTheme } from "../theme_toggle.js";

wireTheme();
const here = document.querySelector(".places [aria-current]");
if (here) here.parentElement.scrollLeft = here.offsetLeft - (here.parentElement.clientWidth - here.offsetWidth) / 2;
