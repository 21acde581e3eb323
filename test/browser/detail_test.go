//go:build browser

package browser_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/trailship/trailship/history"
)

const (
	detailOpen = `document.querySelector("#detail[open] pre")`
	detailGone = `!document.querySelector("#detail[open]")`
)

func (r *rig) testDetail(t *testing.T) {
	b := r.open(t, "/?f=eventName:RunInstances")
	ids := b.ids()
	e, err := r.store.Event(t.Context(), ids[0])
	if err != nil {
		t.Fatal(err)
	}
	check := func(how string) {
		t.Helper()
		b.until(detailOpen)
		text := evaluate[string](b, `document.getElementById("detail").innerText`)
		for _, want := range []string{e.AccessKey, e.Source, e.SourceIP, e.Region, e.ID, fmt.Sprintf("Resources (%d)", len(e.Resources)), "Failure", "A limit was reached."} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: got no %q in\n%s", how, want, text)
			}
		}
		pretty := evaluate[string](b, `document.querySelector("#detail pre").textContent`)
		if got, want := strip(pretty), strip(string(e.Record)); got != want {
			t.Errorf("%s: got record %s, want %s", how, got, want)
		}
	}
	// The key that opens the detail must not press the button that closes it.
	b.run(`document.querySelector("#events tbody a").focus()`)
	began := time.Now()
	b.do(chromedp.KeyEvent(kb.Enter))
	check("enter")
	r.times.add("a detail, by Enter", time.Since(began))
	b.do(chromedp.KeyEvent(kb.Escape))
	b.until(detailGone)
	b.until(`document.activeElement?.closest("tr")?.dataset.id === ` + quote(ids[0]))
	b.click(`#events tbody tr td:nth-child(4)`)
	check("click")
	b.do(chromedp.Reload())
	check("reload")
	b.until(`!document.querySelector("#following").disabled`) // the list may come later
	b.click("#following")
	b.until(`location.search.includes(` + quote(ids[1]) + `) && document.querySelector("#detail").innerText.includes(` + quote(ids[1]) + `)`)
	b.click("#previous")
	check("back to the first")
	b.run("history.back()")
	b.until(detailGone)
	b.address("?f=eventName:RunInstances")
}

// strip leaves white space out, which is all that layout may change.
func strip(text string) string { return strings.Join(strings.Fields(text), "") }

// testTree folds, and filters by a leaf.
func (r *rig) testTree(t *testing.T) {
	id := r.find(t, history.Query{Filters: []history.Filter{is(history.EventName, "RunInstances")}})[0]
	b := r.open(t, "/?ev="+url.QueryEscape(id))
	b.until(detailOpen)
	leaf := `[...document.querySelectorAll("#detail .tree li")].find((li) => li.title === "requestParameters.instancesSet.items.0.imageId")`
	b.until(leaf)
	value := evaluate[string](b, leaf+`.querySelector(".string").textContent`)
	if !evaluate[bool](b, `!!`+leaf+`.querySelector(".minus")`) {
		t.Error("got no way to leave out the resource that a leaf names")
	}
	b.run(`document.querySelector("#detail .tree details").open = false`)
	if evaluate[bool](b, leaf+`.checkVisibility()`) {
		t.Error("got a leaf in a folded part")
	}
	b.run(`document.querySelector("#detail .tree details").open = true; ` + leaf + `.querySelector(".plus").click()`)
	b.until(`location.search.includes(` + quote(url.QueryEscape(value)) + `)`)
	b.settle()
	found := evaluate[[]string](b, `[...document.querySelectorAll("#events tbody tr")].map((tr) => tr.dataset.id)`)
	if len(found) == 0 {
		t.Fatal("got no event with the value of the leaf")
	}
	for _, one := range found {
		e, err := r.store.Event(t.Context(), one)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(e.Record), value) {
			t.Errorf("got event %s, which has no %s", one, value)
		}
	}
}

// testLeaves clicks + and − on each leaf of requests and responses: with + the list keeps the event, with − it does not.
func (r *rig) testLeaves(t *testing.T) {
	for _, name := range []string{"RunInstances", "DeleteAccessKey", "PutRolePolicy"} {
		found := r.find(t, history.Query{Filters: []history.Filter{is(history.EventName, name), is(history.OutcomeIs, "success")}})
		if len(found) == 0 {
			t.Fatalf("the samples have no %s: choose another", name)
		}
		b := r.open(t, "/?f=eventId:"+url.QueryEscape(found[0])+"&ev="+url.QueryEscape(found[0]))
		b.until(detailOpen)
		leaves := `[...document.querySelectorAll("#detail section:not(.record) .tree li")].filter((li) => !li.querySelector("details"))`
		bare := evaluate[[]string](b, leaves+`.filter((li) => li.querySelectorAll(".pair button").length !== 2 && !/: ?(|null|\{\}|\[\])$/.test(li.innerText)).map((li) => li.innerText)`)
		if len(bare) > 0 {
			t.Errorf("%s: got leaves without + and −: %q", name, bare)
		}
		n := evaluate[int](b, leaves+`.length`)
		for i := 0; i < n; i += 1 + n/6 {
			for _, way := range []struct {
				button string
				want   int
			}{{"plus", 1}, {"minus", 0}} {
				b.run(leaves + `[` + quote(i) + `].querySelector(".` + way.button + `")?.click()`)
				b.settle()
				filter := evaluate[string](b, `new URLSearchParams(location.search).getAll("f")[1] ?? ""`)
				if got := len(b.ids()); filter != "" && got != way.want {
					t.Errorf("%s: got %d events with %s, want %d", name, got, filter, way.want)
				}
				if filter != "" {
					b.run("history.back()")
					b.until(`new URLSearchParams(location.search).getAll("f").length === 1`)
					b.settle()
				}
			}
		}
	}
}

// testAround follows links from an event; the filters in use are set aside.
func (r *rig) testAround(t *testing.T) {
	b := r.open(t, "/?f=eventName:RunInstances")
	b.click("#events tbody a")
	b.until(detailOpen)
	e, err := r.store.Event(t.Context(), b.ids()[0])
	if err != nil {
		t.Fatal(err)
	}
	follow := func(face string) {
		t.Helper()
		b.run(`[...document.querySelectorAll("#detail a")].find((a) => a.textContent === ` + quote(face) + `).click()`)
		b.settle()
	}
	follow("Same address")
	b.pills("Event name is RunInstances off ×", "Source IP address is "+e.SourceIP+" on ×")
	same(t, "same address", r.find(t, history.Query{Filters: []history.Filter{is(history.SourceIP, e.SourceIP)}}), b.ids())
	b.until(detailOpen)
	follow("Five minutes around")
	b.until(`location.search.includes("from=")`)
	b.settle()
	same(t, "around", r.find(t, history.Query{Since: history.At(e.Time.Add(-5 * time.Minute)), Until: history.At(e.Time.Add(5 * time.Minute))}), b.ids())
	follow("Who else touched it")
	b.until(`location.search.includes("resourceName")`)
	b.settle()
	same(t, "resource", r.find(t, history.Query{Filters: []history.Filter{is(history.ResourceName, e.Resources[0].Name)}}), b.ids())
}

// testChain goes from a session to the call that began it, one hop a click.
func (r *rig) testChain(t *testing.T) {
	found, err := r.store.Events(t.Context(), history.Query{
		Filters: []history.Filter{is(history.Identity, "AssumedRole"), is(history.EventName, "RunInstances"), not(history.Service, "true")},
	})
	if err != nil || len(found.Events) == 0 {
		t.Fatalf("no session that somebody assumed: %v", err)
	}
	e := found.Events[0]
	parents, err := r.store.Events(t.Context(), history.Query{Filters: []history.Filter{is(history.Issued, e.AccessKey, e.Session)}, Until: history.At(e.Time), Limit: 1})
	if err != nil || len(parents.Events) == 0 {
		t.Fatalf("nobody assumed %s: %v", e.Session, err)
	}
	b := r.open(t, "/?ev="+url.QueryEscape(e.ID))
	b.until(`document.querySelector("#detail .chain")`)
	hop := func(n int, face string) {
		t.Helper()
		b.run(`[...document.querySelectorAll("#detail button")].find((b) => b.textContent === ` + quote(face) + `).click()`)
		b.until(`document.querySelectorAll("#detail .chain li").length === ` + quote(n))
	}
	hop(1, "Who began this session?")
	parent := parents.Events[0]
	if got := b.text("#detail .chain li"); !strings.Contains(got, parent.Name+" by "+parent.User) {
		t.Errorf("got %q, want %s by %s", got, parent.Name, parent.User)
	}
	hop(2, "and who before?")
	b.click("#detail .chain .link")
	b.until(`document.querySelector("#detail-name").textContent === "AssumeRole" && document.querySelector("#detail").innerText.includes(` + quote(parent.ID) + `)`)
}

func (r *rig) testCompare(t *testing.T) {
	b := r.open(t, "/?f=eventName:RunInstances")
	for i := range 3 {
		b.do(chromedp.Click(fmt.Sprintf("#events tbody tr:nth-child(%d) .box", i+1)))
	}
	b.until(`document.querySelector("#ticked").innerText.includes("3 events ticked")`)
	b.click("#ticked .primary")
	b.until(`document.querySelectorAll("#compare thead th").length === 4`)
	rows := evaluate[[][]string](b, `[...document.querySelectorAll("#compare tbody tr")].map((tr) => [tr.className, ...[...tr.cells].map((c) => c.innerText)])`)
	unlike := 0
	for _, row := range rows {
		differs := row[2] != row[3] || row[2] != row[4]
		if differs != (row[0] == "unlike") && row[2] != "" {
			t.Errorf("got row %q", row)
		}
		if row[0] == "unlike" {
			unlike++
		}
	}
	if got := b.text("#compare-says"); unlike == 0 || !strings.HasPrefix(got, fmt.Sprintf("%d fields differ", unlike)) {
		t.Errorf("got %q for %d rows that differ", got, unlike)
	}
	b.do(chromedp.Reload())
	b.until(`document.querySelectorAll("#compare thead th").length === 4`)
	b.do(chromedp.KeyEvent(kb.Escape))
	b.until(`!document.querySelector("#compare[open]")`)
	for i := range 3 {
		b.do(chromedp.Click(fmt.Sprintf("#events tbody tr:nth-child(%d) .box", i+4)))
	}
	b.until(`document.querySelector("#ticked").innerText.includes("Five events can be compared at once")`)
}

// testQuestions asks each question and compares the list with the store's.
func (r *rig) testQuestions(t *testing.T) {
	b := r.open(t, "/")
	for _, q := range history.Questions() {
		b.click("#ask")
		b.until(`document.querySelector("#questions:popover-open")`)
		b.run(`[...document.querySelectorAll("#questions a")].find((a) => a.querySelector("b").textContent === ` + quote(q.Title) + `).click()`)
		b.until(`document.querySelector("#question h2")?.textContent === ` + quote(q.Title))
		b.settle()
		same(t, q.Name, r.find(t, q.Query), b.ids())
	}
	b.until(`document.querySelectorAll("#pills li").length > 0`)
}

// testExport compares the file of the link with the list, and the command with the query.
func (r *rig) testExport(t *testing.T) {
	b := r.open(t, "/?f=eventName:RunInstances&f=-outcome:success&from=2023-07-10")
	b.click("#take")
	b.until(`document.querySelector("#take-box:popover-open")`)
	if got, want := b.text("#command"), "trailship events --event-name=RunInstances --not=outcome:success --since=2023-07-10"; got != want {
		t.Errorf("got command %s, want %s", got, want)
	}
	b.run(`window.file = ""; fetch(document.querySelector("#take-box [data-format=ndjson]").href).then((a) => a.text()).then((text) => { window.file = text })`)
	b.until(`window.file`)
	got := evaluate[[]string](b, `window.file.trim().split("\n").map((line) => JSON.parse(line).eventID)`)
	same(t, "file", b.ids(), got)
}
