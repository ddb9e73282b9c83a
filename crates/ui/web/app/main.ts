// Entry point.

import { mount } from "svelte";
import "../styles/tokens.css";
import "../styles/base.css";
import { startTheme } from "../lib/state/theme.svelte";
import App from "./App.svelte";

startTheme();
mount(App, { target: document.getElementById("app")! });
