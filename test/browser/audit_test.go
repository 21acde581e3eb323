//go:build browser

package browser_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// testAudit looks for faults of accessibility with axe-core, which test/browser/install fetches.
func (r *rig) testAudit(t *testing.T) {
	axe, err := os.ReadFile(filepath.Join(os.Getenv("TRAILSHIP_TEST_CACHE"), "axe-core-4.14.1", "axe.min.js"))
	if err != nil {
		cannot(t, "there is no axe-core: run test/browser/install")
	}
	states := []struct{ name, path, do, until string }{
		{"list", "/?f=outcome:denied&f=-user:bob&off=eventName:Decrypt&q=user", "", "document.querySelector('#facets li')"},
		{"detail", "/?f=eventName:RunInstances", `document.querySelector("#events tbody a").click()`, detailOpen},
		{"picker", "/", `document.getElementById("add").click()`, `document.querySelector("#picker-values li")`},
		{"questions", "/", `document.getElementById("ask").click()`, `document.querySelector("#questions a")`},
		{"range", "/", `document.getElementById("range").click()`, `document.querySelector("#range-box:popover-open")`},
		{"export", "/", `document.getElementById("take").click()`, `document.querySelector("#take-box:popover-open")`},
		{"help", "/", `document.getElementById("help-open").click()`, `document.querySelector("#help[open]")`},
		{
			"compare", "/?f=eventName:RunInstances",
			`for (const i of [0, 1]) document.querySelectorAll("#events .box")[i].click(); document.querySelector("#ticked .primary").click()`,
			`document.querySelector("#compare tbody tr")`,
		},
		{"empty", "/?f=user:nobody", "", "true"},
	}
	b := r.open(t, "/")
	for _, s := range states {
		b.do(chromedp.Navigate(r.url + s.path))
		b.settle()
		b.run(s.do)
		b.until(s.until)
		b.run(string(axe))
		for _, scheme := range []string{"light", "dark"} {
			b.scheme(scheme)
			b.run(`window.faults = null; axe.run(document, {resultTypes: ["violations"]}).then((found) => { window.faults = found.violations.flatMap((v) =>
				v.nodes.map((n) => v.id + ": " + n.target.join(" ") + ": " + n.failureSummary.replace(/\s+/g, " "))) })`)
			b.until("window.faults")
			for _, fault := range evaluate[[]string](b, "window.faults") {
				t.Errorf("%s, %s: %s", s.name, scheme, strings.TrimSpace(fault))
			}
		}
	}
}
