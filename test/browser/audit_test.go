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
	const few = "/?from=2023-07-10T12:09:20Z&to=2023-07-10T12:09:40Z" // a list that is looked through quickly
	states := []struct{ name, path, do, until string }{
		{"list", few + "&f=outcome:denied&f=-user:bob&off=eventName:Decrypt&q=user", "", "document.querySelector('#facets li')"},
		{"detail", "/?f=eventName:RunInstances", `document.querySelector("#events tbody a").click()`, detailOpen},
		{"picker", few, `document.getElementById("add").click()`, `document.querySelector("#picker-values li")`},
		{"questions", few, `document.getElementById("ask").click()`, `document.querySelector("#questions a")`},
		{"range", few, `document.getElementById("range").click()`, `document.querySelector("#range-box:popover-open")`},
		{"export", few, `document.getElementById("take").click()`, `document.querySelector("#take-box:popover-open")`},
		{"help", few, `document.getElementById("help-open").click()`, `document.querySelector("#help[open]")`},
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
			rules := `{resultTypes: ["violations"]}`
			if scheme == "dark" { // what does not depend on colours has been looked for
				rules = `{resultTypes: ["violations"], runOnly: ["color-contrast"]}`
			}
			b.run(`window.faults = null; axe.run(document, ` + rules + `).then((found) => { window.faults = found.violations.flatMap((v) =>
				v.nodes.map((n) => v.id + ": " + n.target.join(" ") + ": " + n.failureSummary.replace(/\s+/g, " "))) })`)
			b.until("window.faults")
			for _, fault := range evaluate[[]string](b, "window.faults") {
				t.Errorf("%s, %s: %s", s.name, scheme, strings.TrimSpace(fault))
			}
		}
	}
}
