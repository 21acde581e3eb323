//go:build browser

// The suite looks at the Event history page with a real browser, over a store of 100,000 events: the sample files, once for
// each of many days, and records that are hostile. In full form there are a million. It ends with a table of times, and
// leaves pictures for people to look at.
package browser_test

import (
	"context"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap/zaptest"

	"github.com/trailship/trailship/history"
	"github.com/trailship/trailship/sinks/local"
	"github.com/trailship/trailship/web"
)

// A rig is the page over a store, and a browser.
type rig struct {
	store *local.Store
	url   string
	tabs  context.Context //nolint:containedctx // a browser is a context
	times *times
}

// start starts a browser and the page. Without a browser the test is skipped, unless it is required.
func start(t *testing.T) *rig {
	t.Helper()
	r := browse(t)
	store, err := local.Open(t.Context(), local.Config{Path: filepath.Join(t.TempDir(), "store.db")}, zaptest.NewLogger(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	r.store = store
	began := time.Now()
	n := fill(t, store)
	r.times.add("storing "+group(n)+" events", time.Since(began))
	r.serve(t, store)
	return r
}

// serve serves the page over what search finds.
func (r *rig) serve(t *testing.T, search history.Search) {
	t.Helper()
	server := httptest.NewServer(web.Handler(search, web.Options{Store: "samples", Log: zaptest.NewLogger(t), Wait: 30 * time.Second}))
	t.Cleanup(server.Close)
	r.url = server.URL
}

// browse starts a browser alone.
func browse(t *testing.T) *rig {
	t.Helper()
	program := chromium(t)
	allocator, stop := chromedp.NewExecAllocator(context.Background(), chromedp.ExecPath(program),
		chromedp.UserDataDir(t.TempDir()), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.WSURLReadTimeout(2*time.Minute),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-dev-shm-usage", true))
	t.Cleanup(stop)
	tabs, end := chromedp.NewContext(allocator, chromedp.WithErrorf(t.Logf))
	t.Cleanup(end)
	r := &rig{tabs: tabs, times: &times{}}
	began := time.Now()
	if err := chromedp.Do(tabs); err != nil {
		t.Fatalf("starting %s: %v", program, err)
	}
	r.times.add("starting the browser", time.Since(began))
	return r
}

func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if program, err := exec.LookPath(name); err == nil {
			return program
		}
	}
	cannot(t, "there is no browser: install chromium")
	return ""
}

// cannot ends a test that lacks something.
func cannot(t *testing.T, why string) {
	t.Helper()
	if slices.Contains(strings.Split(os.Getenv("TRAILSHIP_REQUIRE"), ","), "browser") {
		t.Fatal(why)
	}
	t.Skip(why)
}

// A tab is one tab of the browser.
type tab struct {
	t   *testing.T
	ctx context.Context //nolint:containedctx // a tab is a context
	url string
}

// open opens a tab at a path of the page. Whatever opens a dialog of the browser, or ends in an error that nobody caught,
// fails the test.
func (r *rig) open(t *testing.T, path string) *tab {
	t.Helper()
	ctx, end := chromedp.NewContext(r.tabs)
	t.Cleanup(end)
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	t.Cleanup(cancel)
	b := &tab{t: t, ctx: ctx, url: r.url}
	b.do(chromedp.EmulateViewport(1400, 900))
	err := chromedp.Listen(ctx, func(event any) {
		switch e := event.(type) {
		case *page.EventJavascriptDialogOpening:
			t.Errorf("the page opened a dialog: %s", e.Message)
		case *runtime.EventExceptionThrown:
			t.Errorf("the page threw: %s %v", e.ExceptionDetails.Text, e.ExceptionDetails.Exception)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.Navigate(r.url + path))
	b.settle()
	return b
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// until waits for a condition of the page.
func (b *tab) until(condition string) {
	b.t.Helper()
	script := `new Promise((done) => {
		const end = Date.now() + 60000;
		const look = () => {
			const met = !!(` + condition + `);
			if (met || Date.now() > end) done(met); else setTimeout(look, 5);
		};
		look();
	})`
	met, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](script, chromedp.EvalAwaitPromise))
	if err != nil || !met {
		b.t.Fatalf("waiting for %s: %v; the page is %s\n%.2000s", condition, err,
			evaluate[string](b, "location.href"), evaluate[string](b, "document.body?.innerText ?? ''"))
	}
}

// click clicks the first element of a selector, as soon as it is there, works and stands still.
func (b *tab) click(selector string) {
	b.t.Helper()
	b.until(`(() => {
		const e = document.querySelector(` + quote(selector) + `);
		if (!e || e.disabled || document.querySelector(".stale")) return false;
		const { x, y } = e.getBoundingClientRect();
		const still = window.stood === x + " " + y;
		window.stood = x + " " + y;
		return still;
	})()`)
	b.do(chromedp.Click(selector))
}

// settle waits until the list is there, or a sentence instead of it.
func (b *tab) settle() {
	b.t.Helper()
	b.until(`document.getElementById("status") && (document.getElementById("status").textContent.includes("shown") || !document.getElementById("message").hidden)
		&& !document.querySelector("#events.stale")`)
}

func evaluate[T any](b *tab, script string) T {
	b.t.Helper()
	got, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script))
	if err != nil {
		b.t.Fatalf("evaluating %s: %v", script, err)
	}
	return got
}

// run runs script, which has no result.
func (b *tab) run(script string) {
	b.t.Helper()
	evaluate[bool](b, "(() => {"+script+"; return true})()")
}

func (b *tab) text(selector string) string {
	b.t.Helper()
	return evaluate[string](b, `document.querySelector(`+quote(selector)+`)?.innerText ?? "nothing"`)
}

// ids are the events that the list shows.
func (b *tab) ids() []string {
	b.t.Helper()
	return evaluate[[]string](b, `[...document.querySelectorAll("#events tbody tr")].map((tr) => tr.dataset.id)`)
}

// pills waits for so many pills and their events.
func (b *tab) pills(want ...string) {
	b.t.Helper()
	b.until(`document.querySelectorAll("#pills li:not(.plain)").length === ` + quote(len(want)))
	b.settle()
	got := evaluate[[]string](b, `[...document.querySelectorAll("#pills li:not(.plain)")].map((li) => {
		const copy = li.cloneNode(true);
		copy.querySelectorAll(".unseen").forEach((e) => e.remove());
		return [...copy.childNodes].map((n) => n.textContent).join(" ").replace(/\s+/g, " ").trim();
	})`)
	if diff := cmp.Diff(want, got); len(want) > 0 && diff != "" {
		b.t.Errorf("pills (-want +got):\n%s", diff)
	}
}

// address is the page's query string.
func (b *tab) address(want string) {
	b.t.Helper()
	if got := evaluate[string](b, "decodeURIComponent(location.search)"); got != want {
		b.t.Errorf("got address %s, want %s", got, want)
	}
}

// find asks the store what the list should show.
func (r *rig) find(t *testing.T, q history.Query) []string {
	t.Helper()
	found, err := r.store.Events(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	ids := []string{}
	for i := range found.Events {
		ids = append(ids, found.Events[i].ID)
	}
	return ids
}

func same(t *testing.T, what string, want, got []string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func is(a history.Attribute, values ...string) history.Filter {
	return history.Filter{Attribute: a, Values: values}
}

func not(a history.Attribute, values ...string) history.Filter {
	return history.Filter{Attribute: a, Values: values, Not: true}
}
