// What scripts add to pages that work without them. Each module finds its own
// elements; none is needed by another page.
import "./live.js";
import "./copy.js";
import "./count.js";
import "./paste.js";
import "./keys.js";
import "./rows.js";
import "./reveal.js";
import "./confirm.js";
import "./unfold.js";
import "./watch.js";
import "./news.js";
import "./chart.js";
import "./passkey.js";
