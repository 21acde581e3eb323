//go:build browser

package browser_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/google/go-cmp/cmp"

	"github.com/trailship/trailship/history"
)

func TestPage(t *testing.T) {
	r := start(t)
	t.Run("filters", r.testFilters)
	t.Run("detail", r.testDetail)
	t.Run("more", r.testMore)
	t.Run("range", r.testRange)
	t.Run("sentences", r.testSentences)
	t.Run("hostile", r.testHostile)
	t.Run("looks", r.testLooks)
}

func same(t *testing.T, what string, want, got []string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func (r *rig) testFilters(t *testing.T) {
	b := r.open(t, "/")
	all := r.find(t, history.Query{})
	same(t, "newest 50", all, b.ids())
	columns := evaluate[string](b, `[...document.querySelectorAll("thead th")].map((th) => th.firstChild.data.trim()).join()`)
	if want := "Event name,Event time,User name,Event source,Resource type,Resource name,Outcome"; columns != want {
		t.Errorf("got columns %s, want %s", columns, want)
	}

	name := history.Filter{Attribute: history.EventName, Values: []string{"RunInstances"}}
	failed := history.Filter{Attribute: history.OutcomeIs, Values: []string{"failure"}}
	one := r.find(t, history.Query{Filters: []history.Filter{name}})
	two := r.find(t, history.Query{Filters: []history.Filter{name, failed}})
	if len(one) == 0 || len(two) == 0 || len(two) == len(one) {
		t.Fatalf("the samples have %d and %d events for the filters: choose others", len(one), len(two))
	}
	pills := func(n int) {
		b.until(fmt.Sprintf(`document.querySelectorAll("#pills li").length === %d`, n))
		b.settle()
	}

	b.do(chromedp.SendKeys(`[name=eventName]`, "RunInstances"+kb.Enter))
	pills(1)
	same(t, "one filter", one, b.ids())
	b.do(chromedp.SetValue(`#attribute`, "outcome"), chromedp.SendKeys(`[name=other]`, "failure"), chromedp.Click(`#filter .primary`))
	pills(2)
	same(t, "two filters", two, b.ids())
	if got, want := evaluate[string](b, "location.search"), "?f=eventName%3ARunInstances&f=outcome%3Afailure"; got != want {
		t.Errorf("got URL %s, want %s", got, want)
	}
	b.do(chromedp.Reload())
	pills(2)
	same(t, "two filters, reloaded", two, b.ids())
	b.do(chromedp.Click(`#pills li:last-child button`))
	pills(1)
	same(t, "a filter removed", one, b.ids())
	evaluate[bool](b, "history.back() ?? true")
	pills(2)
	same(t, "back", two, b.ids())
	evaluate[bool](b, "history.go(-2) ?? true")
	pills(0)
	same(t, "back to the start", all, b.ids())
}

func (r *rig) testDetail(t *testing.T) {
	b := r.open(t, "/?f=eventName:RunInstances")
	const shown, gone = `document.querySelector("#detail[open] pre")`, `!document.querySelector("#detail[open]")`
	id := b.ids()[0]
	e, err := r.store.Event(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	check := func(how string) {
		t.Helper()
		b.until(shown)
		text := evaluate[string](b, `document.getElementById("detail").innerText`)
		for _, want := range []string{e.AccessKey, e.Source, e.SourceIP, e.Region, e.ID, fmt.Sprintf("Resources (%d)", len(e.Resources))} {
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
	evaluate[bool](b, `document.querySelector("tbody a").focus() ?? true`)
	b.do(chromedp.KeyEvent(kb.Enter))
	check("enter")
	b.do(chromedp.KeyEvent(kb.Escape))
	b.until(gone)
	b.until(`document.activeElement?.dataset.id === ` + fmt.Sprintf("%q", id))
	b.do(chromedp.Click(`tbody tr td:nth-child(3)`))
	check("click")
	b.do(chromedp.Reload())
	check("reload")
	evaluate[bool](b, "history.back() ?? true")
	b.until(gone)
	if got, want := evaluate[string](b, "location.search"), "?f=eventName:RunInstances"; got != want {
		t.Errorf("got URL %s after back, want %s", got, want)
	}
}

// strip leaves white space out, which is all that layout may change.
func strip(text string) string { return strings.Join(strings.Fields(text), "") }

func (r *rig) testMore(t *testing.T) {
	b := r.open(t, "/")
	b.do(chromedp.Click("#more"))
	b.until(`document.querySelectorAll("tbody tr").length === 100`)
	want := r.find(t, history.Query{Limit: 100})
	same(t, "two pages", want, b.ids())
	b.do(chromedp.Reload())
	b.settle()
	same(t, "two pages, reloaded", want, b.ids())
}

func (r *rig) testRange(t *testing.T) {
	b := r.open(t, "/?from=2023-07-10T12:00:00Z&to=2023-07-10T12:10:00Z")
	if got, want := evaluate[string](b, `document.querySelector("[name=from]").value`), "2023-07-10T12:00"; !strings.HasPrefix(got, want) {
		t.Errorf("got from %s, want %s", got, want)
	}
	times := evaluate[[]string](b, `[...document.querySelectorAll("tbody time")].map((at) => at.dateTime)`)
	for _, at := range times {
		if at < "2023-07-10T12:00:00Z" || at > "2023-07-10T12:10:00Z" {
			t.Errorf("got an event of %s, which is outside of the range", at)
		}
	}
	if len(times) == 0 {
		t.Error("got no event in a range that has some")
	}
	b.do(chromedp.Click(`[data-tz=local]`))
	b.until(`location.search.includes("tz=local")`)
	b.settle()
	b.until(`/[+−]\d\d:\d\d$/.test(document.querySelector("tbody time").textContent)`)
	b.do(chromedp.Click(`[data-from="-1h"]`))
	b.until(`!document.getElementById("message").hidden`)
	if got := evaluate[string](b, "location.search"); got != "?from=-1h&tz=local" {
		t.Errorf("got URL %s, want a relative range", got)
	}
}

func (r *rig) testSentences(t *testing.T) {
	tests := []struct{ name, path, want string }{
		{"empty", "/?f=user:nobody", "No stored event passes these filters."},
		{"no time", "/?from=1999-01-01&to=1999-01-02", "No event is stored for this time range."},
		{"unknown", "/?color=red", `The events could not be shown: there is no parameter "color"`},
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

// A record made of markup is text and nothing else, in the list and in its detail.
func (r *rig) testHostile(t *testing.T) {
	b := r.open(t, "/?to=2020-01-02")
	counted := `document.querySelectorAll("script, iframe, img, svg, object, embed, [onerror], [onload], [onmouseover], [srcdoc], a[href^=javascript]").length`
	const own = 2 // the page's script and icon
	if got := evaluate[string](b, `document.querySelector("tbody a").textContent`); got != "<img src=x onerror=alert(1)>" {
		t.Errorf("got event name %q, want it as text", got)
	}
	b.do(chromedp.Click("tbody a"))
	b.until(`document.querySelector("#detail pre")`)
	b.do(chromedp.Click(`[aria-label="Filter by this User name"]`))
	b.until(`document.querySelector("#pills li b")?.textContent === "<svg onload=alert(4)>"`)
	b.settle()
	b.do(chromedp.Click("tbody a"))
	b.until(`document.querySelector("#detail[open] pre")`)
	if got := evaluate[int](b, counted); got != own {
		t.Errorf("got %d elements that could run, want the page's own %d", got, own)
	}
	text := evaluate[string](b, `document.querySelector("#detail pre").textContent`)
	for _, want := range []string{`"z": 9007199254740993`, `"a": 1.0`, `aU+202Eb`} {
		if !strings.Contains(text, want) {
			t.Errorf("got no %s in %s", want, text)
		}
	}
	if shown := evaluate[bool](b, `document.body.textContent.includes("\u202e")`); shown {
		t.Error("got a character that turns text round, want its code")
	}
	if refused := evaluate[bool](b, `(() => { try { document.body.innerHTML = "x"; return false } catch { return true } })()`); !refused {
		t.Error("got markup from a string, want the policy to refuse it")
	}
}

// testLooks takes pictures to look at, and checks that nothing needs sideways scrolling.
func (r *rig) testLooks(t *testing.T) {
	folder := os.Getenv("TRAILSHIP_TEST_LOGS")
	if folder == "" {
		folder = t.TempDir()
	}
	events := r.find(t, history.Query{Filters: []history.Filter{{Attribute: history.EventName, Values: []string{"RunInstances"}}}})
	for name, path := range map[string]string{
		"list":     "/",
		"filtered": "/?f=eventName:RunInstances&f=outcome:failure&from=2023-07-10T00:00:00Z&to=2023-07-11T00:00:00Z",
		"detail":   "/?ev=" + url.QueryEscape(events[0]),
		"record":   "/?ev=" + url.QueryEscape(events[0]),
	} {
		b := r.open(t, path)
		if name == "detail" || name == "record" {
			b.until(`document.querySelector("#detail[open] pre")`)
		}
		for _, scheme := range []string{"light", "dark"} {
			for _, width := range []int64{1400, 900, 400, 320} {
				media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
				_, err := chromedp.Run(b.ctx, func(ctx context.Context, tab *chromedp.Target) (chromedp.Void, error) {
					_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, media)
					return chromedp.Void{}, err
				})
				if err != nil {
					t.Fatal(err)
				}
				b.do(chromedp.EmulateViewport(width, 900))
				if name == "record" {
					evaluate[bool](b, `(document.querySelector("#detail pre").scrollIntoView(), true)`)
				}
				if got := evaluate[int64](b, "document.documentElement.scrollWidth"); got > width {
					t.Errorf("%s at %d px is %d px wide", name, width, got)
				}
				shot, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
				if err != nil {
					t.Fatal(err)
				}
				file := filepath.Join(folder, fmt.Sprintf("page-%s-%s-%d.png", name, scheme, width))
				if err := os.WriteFile(file, shot, 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}
