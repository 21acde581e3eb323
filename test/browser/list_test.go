//go:build browser

package browser_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/trailship/trailship/history"
)

// testLoad measures by the browser's own clock, from the request to the rows.
func (r *rig) testLoad(t *testing.T) {
	b := r.open(t, "/")
	same(t, "newest 50", r.find(t, history.Query{}), b.ids())
	columns := evaluate[string](b, `[...document.querySelectorAll("#events thead th")].slice(1).map((th) => th.innerText.replace(/ \(.*/, "")).join()`)
	if want := "Event name,Outcome,Event time,User name,Event source,Resource type,Resource name"; columns != want {
		t.Errorf("got columns %s, want %s", columns, want)
	}
	b.until(`/^[\d,]+ events, [\d,]+ failed, 50 shown$/.test(document.getElementById("status").textContent)`)
	size := evaluate[int](b, `performance.getEntriesByType("resource").filter((e) => e.name.includes("/assets/")).reduce((n, e) => n + e.decodedBodySize, 0)
		+ performance.getEntriesByType("navigation")[0].decodedBodySize`)
	if size > 150_000 {
		t.Errorf("the page has %d bytes, want at most 150,000", size)
	}
	if from := evaluate[[]string](b, `performance.getEntriesByType("resource").map((e) => new URL(e.name).origin).filter((o) => o !== location.origin)`); len(from) > 0 {
		t.Errorf("got something from %v, want nothing from elsewhere", from)
	}
	b.do(chromedp.Reload())
	b.settle()
	paint := evaluate[float64](b, `performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? -1`)
	r.times.add("first paint", time.Duration(paint*float64(time.Millisecond)))
	rows := evaluate[float64](b, `performance.getEntriesByType("resource").find((e) => e.name.includes("/api/events")).responseEnd`)
	r.times.add("newest 50 are there, from the page's request on", time.Duration(rows*float64(time.Millisecond)))
	r.answered(b, "no filter")
}

// answered adds what each kind of question took since the last one was forgotten.
func (r *rig) answered(b *tab, what string) {
	b.t.Helper()
	for _, path := range []string{"events", "histogram", "values"} {
		entries := `performance.getEntriesByType("resource").filter((e) => e.name.includes("/api/` + path + `"))`
		b.until(entries + `.length > 0`)
		took := evaluate[float64](b, `Math.max(...`+entries+`.map((e) => e.duration))`)
		r.times.add(what+": "+path, time.Duration(took*float64(time.Millisecond)))
	}
}

// timed runs a change and says how long its rows take.
func (r *rig) timed(b *tab, what string, change func()) {
	b.t.Helper()
	b.run(`performance.clearResourceTimings()`)
	change()
	b.settle()
	r.answered(b, what)
}

func (r *rig) testFilters(t *testing.T) {
	b := r.open(t, "/")
	all := r.find(t, history.Query{})
	name := is(history.EventName, "RunInstances")
	one := r.find(t, history.Query{Filters: []history.Filter{name}})
	two := r.find(t, history.Query{Filters: []history.Filter{name, is(history.OutcomeIs, "failure")}})
	without := r.find(t, history.Query{Filters: []history.Filter{name, not(history.OutcomeIs, "failure")}})
	if len(one) == 0 || len(two) == 0 || len(without) == 0 {
		t.Fatalf("the samples have %d, %d and %d events for the filters: choose others", len(one), len(two), len(without))
	}
	r.timed(b, "one filter", func() {
		b.do(chromedp.SendKeys(`[name=q]`, "eventName:RunInstances"+kb.Enter))
		b.pills("Event name is RunInstances on ×")
	})
	same(t, "one filter", one, b.ids())
	r.timed(b, "two filters", func() {
		b.do(chromedp.SendKeys(`[name=q]`, "outcome:failure"+kb.Enter))
		b.pills("Event name is RunInstances on ×", "Outcome is Failure on ×")
	})
	same(t, "two filters", two, b.ids())
	b.address("?f=eventName:RunInstances&f=outcome:failure")
	b.do(chromedp.Reload())
	b.pills("Event name is RunInstances on ×", "Outcome is Failure on ×")
	same(t, "two filters, reloaded", two, b.ids())
	b.click(`#pills li:nth-child(2) .verb`)
	b.pills("Event name is RunInstances on ×", "Outcome is not Failure on ×")
	same(t, "a filter turned round", without, b.ids())
	b.click(`#pills li:nth-child(2) .switch`)
	b.pills("Event name is RunInstances on ×", "Outcome is not Failure off ×")
	same(t, "a filter set aside", one, b.ids())
	b.address("?f=eventName:RunInstances&off=-outcome:failure")
	b.click(`[aria-label="Remove filter: Event name is RunInstances"]`)
	b.pills("Outcome is not Failure off ×")
	same(t, "a filter removed", all, b.ids())
	b.run("history.back()")
	b.pills("Event name is RunInstances on ×", "Outcome is not Failure off ×")
	same(t, "back", one, b.ids())
	b.run("history.go(-4)")
	b.until(`location.search === ""`)
	b.settle()
	same(t, "back to the start", all, b.ids())
}

// testValues filters by what stands in the list: one click on + or − of any cell.
func (r *rig) testValues(t *testing.T) {
	b := r.open(t, "/")
	point := func(cell string) {
		t.Helper()
		b.run(`const box = document.querySelector(` + quote(cell) + `).getBoundingClientRect(); window.at = [box.x + 5, box.y + 5]`)
		at := evaluate[[]float64](b, "window.at")
		b.do(chromedp.MouseEvent("mouseMoved", at[0], at[1]))
		b.until(`document.querySelector(` + quote(cell+" .pair") + `)`)
	}
	const first = "#events tbody tr:nth-child(2) "
	source := evaluate[string](b, `document.querySelector("`+first+`.source").title || document.querySelector("`+first+`.source").innerText`)
	point(first + ".source")
	b.click(first + ".source .plus")
	b.pills("Event source is " + source + " on ×")
	same(t, "included", r.find(t, history.Query{Filters: []history.Filter{is(history.EventSource, source)}}), b.ids())
	name := b.text(first + "a")
	point(first + ".name")
	b.click(first + ".name .minus")
	b.pills("Event source is "+source+" on ×", "Event name is not "+name+" on ×")
	same(t, "left out", r.find(t, history.Query{Filters: []history.Filter{is(history.EventSource, source), not(history.EventName, name)}}), b.ids())
}

func (r *rig) testPicker(t *testing.T) {
	b := r.open(t, "/?f=eventSource:iam.amazonaws.com")
	b.click("#add")
	b.until(`document.querySelectorAll("#picker-values li").length > 5`)
	facets, err := r.store.Facets(t.Context(), history.Query{Filters: []history.Filter{is(history.EventSource, "iam.amazonaws.com")}},
		[]history.Attribute{history.EventName}, 1)
	if err != nil {
		t.Fatal(err)
	}
	top := facets.Facets[0].Values[0]
	if got, want := b.text("#picker-values .choice"), top.Value; !strings.HasPrefix(got, want) || !strings.Contains(got, group(int(top.Count))) {
		t.Errorf("got %q first, want %s with %d", got, want, top.Count)
	}
	b.do(chromedp.SendKeys("#picker-value", "getuser"))
	b.until(`[...document.querySelectorAll("#picker-values .clip")].every((e) => e.innerText.toLowerCase().includes("getuser")) && document.querySelector("#picker-values li")`)
	b.click("#picker-values .minus")
	b.until(`!document.querySelector("#picker:popover-open")`)
	b.pills("Event source is iam.amazonaws.com on ×", "Event name is not GetUser on ×")
	b.click("#add")
	b.do(chromedp.SendKeys("#picker-value", "Create*"+kb.Enter))
	b.pills("Event source is iam.amazonaws.com on ×", "Event name is not GetUser on ×", "Event name is like Create* on ×")
	for _, name := range evaluate[[]string](b, `[...document.querySelectorAll("#events a")].map((a) => a.innerText)`) {
		if !strings.HasPrefix(name, "Create") {
			t.Errorf("got event %s, want those like Create*", name)
		}
	}
	b.click(`#facets .choice[title="success"]`)
	b.until(`document.querySelectorAll("#pills li:not(.plain)").length === 4`)
	// What is not counted can be picked, too: by its words, or by writing it.
	choose := func(attribute string) {
		t.Helper()
		b.click("#add")
		b.run(`const all = document.getElementById("picker-attribute"); all.value = ` + quote(attribute) + `; all.dispatchEvent(new Event("change"))`)
	}
	b.do(chromedp.Navigate(r.url + "/"))
	b.settle()
	choose("first")
	b.until(`document.querySelectorAll("#picker-values li").length === 3`)
	b.click("#picker-values .choice")
	b.pills("First time is of this user with this call on ×")
	choose("value")
	b.until(`document.getElementById("picker-said").textContent.startsWith("Write the whole value.")`)
	b.do(chromedp.SendKeys("#picker-value", "*"+kb.Enter))
	b.pills("First time is of this user with this call on ×", "Value in record is * on ×")
}

func (r *rig) testText(t *testing.T) {
	b := r.open(t, "/")
	r.timed(b, "free text", func() {
		b.do(chromedp.SendKeys(`[name=q]`, `stratus "red-team" instance`+kb.Enter))
		b.pills(`Text has stratus "red-team" instance ×`)
	})
	same(t, "text", r.find(t, history.Query{Text: `stratus "red-team" instance`}), b.ids())
	b.click(`#pills .remove`)
	b.until(`location.search === ""`)
}

// testNoise hides reads, and says how many.
func (r *rig) testNoise(t *testing.T) {
	b := r.open(t, "/")
	const button = `[data-hide="-readOnly:true"]`
	b.until(`/\d/.test(document.querySelector('` + button + ` small').textContent)`)
	b.click(button)
	b.pills("Read-only is not Yes on ×")
	b.until(`/hidden/.test(document.querySelector('` + button + ` small').textContent)`)
	same(t, "writes", r.find(t, history.Query{Filters: []history.Filter{not(history.ReadOnly, "true")}}), b.ids())
	b.click(button)
	b.pills()
}

func (r *rig) testRange(t *testing.T) {
	b := r.open(t, "/?from=2023-07-10T12:00:00Z&to=2023-07-10T12:10:00Z")
	if got, want := b.text("#range"), "2023-07-10 12:00:00 – 12:10:00 UTC"; !strings.HasSuffix(got, want) {
		t.Errorf("got range %q, want %q", got, want)
	}
	times := evaluate[[]string](b, `[...document.querySelectorAll("#events time")].map((at) => at.dateTime)`)
	for _, at := range times {
		if at < "2023-07-10T12:00:00Z" || at > "2023-07-10T12:10:00Z" {
			t.Errorf("got an event of %s, which is outside of the range", at)
		}
	}
	if len(times) == 0 {
		t.Error("got no event in a range that has some")
	}
	b.click(`[data-tz=local]`)
	b.until(`location.search.includes("tz=local") && /[+−]\d\d:\d\d$/.test(document.querySelector("#events time").textContent)`)
	for _, zone := range []string{"local", "utc"} { // the offset is to be seen, not only there
		b.click(`[data-tz=` + zone + `]`)
		b.until(`document.querySelector("[data-tz=` + zone + `]").getAttribute("aria-pressed") === "true"`)
		if cut := evaluate[bool](b, `(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)(document.querySelector("#events td.time"))`); cut {
			t.Errorf("%s: got times that are cut off", zone)
		}
	}
	b.click(`[data-tz=local]`)
	b.click("#range")
	b.click("[name=base][value=now]")
	b.click("#range-spans button:nth-child(2)")
	b.until(`!document.getElementById("message").hidden`)
	b.address("?from=-1h&tz=local")
	if got := b.text("#message p"); !strings.Contains(got, "The stored events are of 2020-01-01 00:00:00 UTC to 2024-08-02") {
		t.Errorf("got %q, want to be told when events are stored", got)
	}
	b.click("#range")
	b.run(`document.querySelector("#range-form").elements.from.value = "2023/07/10 12:00"; document.querySelector("#range-form").elements.to.value = "1688990400"`)
	b.click("#zones [data-tz=utc]")
	b.click("#range")
	b.until(`document.querySelector("#range-box:popover-open")`)
	b.run(`document.querySelector("#range-form").elements.from.value = "2023/07/10 11:30"; document.querySelector("#range-form").elements.to.value = "1688990400"`)
	b.click("#range-form .primary")
	b.until(`location.search.includes("from=2023-07-10T11%3A30%3A00Z&to=1688990400")`)
	b.settle()
}

// testBrush chooses a part of the histogram by pointer and by keys.
func (r *rig) testBrush(t *testing.T) {
	b := r.open(t, "/?from=2023-07-10T11:30:00Z&to=2023-07-10T13:00:00Z")
	b.until(`document.querySelectorAll("#bars .all").length > 20`)
	b.run(`const box = document.getElementById("brush").getBoundingClientRect(); window.at = [box.x + box.width * .3, box.x + box.width * .6, box.y + 20]`)
	at := evaluate[[]float64](b, "window.at")
	b.do(chromedp.MouseEvent("mouseMoved", at[0], at[2]), chromedp.MouseEvent("mousePressed", at[0], at[2], chromedp.ButtonLeft),
		chromedp.MouseEvent("mouseMoved", at[1], at[2], chromedp.ButtonLeft), chromedp.MouseEvent("mouseReleased", at[1], at[2], chromedp.ButtonLeft))
	b.until(`!location.search.includes("11%3A30%3A00Z") && !location.search.includes("11:30:00Z")`)
	b.settle()
	bounds := evaluate[[]string](b, `["from", "to"].map((name) => new URLSearchParams(location.search).get(name))`)
	q := history.Query{}
	for i, into := range []*history.Bound{&q.Since, &q.Until} {
		when, err := time.Parse(time.RFC3339, bounds[i])
		if err != nil {
			t.Fatal(err)
		}
		*into = history.At(when)
	}
	if width := q.Until.At.Sub(q.Since.At); width < 3*time.Minute || width > 40*time.Minute {
		t.Errorf("got a range of %v, want about a third", width)
	}
	same(t, "brushed", r.find(t, q), b.ids())
	before := evaluate[string](b, "location.search")
	b.until(`document.querySelectorAll("#bars .all").length > 1`)
	b.run(`document.getElementById("brush").focus()`)
	b.do(chromedp.KeyEvent(kb.ArrowLeft), chromedp.KeyEvent(kb.ArrowLeft, chromedp.KeyModifiers(chromedp.ModifierShift)), chromedp.KeyEvent(kb.Enter))
	b.until(`location.search !== ` + quote(before))
	b.settle()
	b.run("history.back()")
	b.until(`location.search === ` + quote(before))
	b.click("#bars-as-table")
	b.until(`document.querySelectorAll("#bars-table tbody tr").length > 0`)
}

// testScroll comes to the next pages by scrolling, and by the button.
func (r *rig) testScroll(t *testing.T) {
	b := r.open(t, "/")
	began := time.Now()
	b.run(`scrollTo(0, document.documentElement.scrollHeight)`)
	b.until(`document.querySelectorAll("#events tbody tr").length >= 100`)
	r.times.add("50 more by scrolling", time.Since(began))
	b.click("#more")
	b.until(`document.querySelectorAll("#events tbody tr").length >= 150`)
	n := len(b.ids())
	want := r.find(t, history.Query{Limit: n})
	same(t, "pages", want, b.ids())
	b.run(`scrollTo(0, 0)`)
	b.do(chromedp.Reload())
	b.settle()
	same(t, "pages, reloaded", want, b.ids())
}

func (r *rig) testColumns(t *testing.T) {
	b := r.open(t, "/")
	b.click("#columns")
	b.click("#columns-list input[value=sourceIp]")
	b.click("#columns-list input[value=source]")
	b.until(`document.querySelector("#events td.sourceIp") && !document.querySelector("#events td.source")`)
	b.address("?cols=name,outcome,time,user,resourceType,resources,sourceIp")
	b.do(chromedp.Reload())
	b.settle()
	b.click("#events thead button")
	b.until(`document.querySelector("[aria-sort=ascending]")`)
	b.settle()
	same(t, "oldest first", r.find(t, history.Query{Oldest: true}), b.ids())
	if !evaluate[bool](b, `!!document.querySelector("#events td.sourceIp")`) {
		t.Error("got no column of source addresses after reload")
	}
}

func (r *rig) testSentences(t *testing.T) {
	tests := []struct{ name, path, want string }{
		{"empty", "/?f=user:nobody", "No stored event passes these filters."},
		{"no time", "/?from=1999-01-01&to=1999-01-02", "No event is stored for this time range."},
		{"unknown", "/?color=red", `The events could not be shown: there is no parameter "color"`},
		{"unknown filter", "/?f=shoe:1", `The events could not be shown: there is no attribute "shoe"`},
		{"hidden characters", "/?" + url.PathEscape("\u202e") + "=1", `The events could not be shown: there is no parameter "\u202e"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := r.open(t, tt.path)
			if got := evaluate[string](b, `document.querySelector("#message p").textContent`); !strings.HasPrefix(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
