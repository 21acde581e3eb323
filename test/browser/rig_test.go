//go:build browser

// The suite looks at the Event history page with a real browser, over a store of the sample files.
package browser_test

import (
	"context"
	"errors"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"go.uber.org/zap/zaptest"

	"github.com/trailship/trailship/history"
	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/sinks/local"
	"github.com/trailship/trailship/web"
)

// hostile is a record made of markup, of characters that turn text round, and of a number that JavaScript cannot hold.
const hostile = `{"eventID":"<b id=x>&\"'","eventTime":"2020-01-01T00:00:00Z","eventName":"<img src=x onerror=alert(1)>",` +
	`"eventSource":"</script><script>alert(2)</script>","awsRegion":"javascript:alert(3)","userAgent":"a` + "\u202e" + `b",` +
	`"userIdentity":{"type":"IAMUser","userName":"<svg onload=alert(4)>","accessKeyId":"\" onmouseover=\"alert(5)"},` +
	`"errorCode":"AccessDenied","errorMessage":"<iframe srcdoc='<script>alert(6)</script>'>",` +
	`"requestParameters":{"z":9007199254740993,"a":1.0,"bucketName":"<a href=javascript:alert(7)>b</a>"}}`

// A rig is the page over a store, and a browser.
type rig struct {
	store *local.Store
	url   string
	tabs  context.Context //nolint:containedctx // a browser is a context
}

// start starts a browser and the page. Without a browser the test is skipped, unless it is required.
func start(t *testing.T) *rig {
	t.Helper()
	program := chromium(t)
	store, err := local.Open(t.Context(), local.Config{Path: filepath.Join(t.TempDir(), "store.db")}, zaptest.NewLogger(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	fill(t, store)
	server := httptest.NewServer(web.Handler(store, web.Options{Log: zaptest.NewLogger(t)}))
	t.Cleanup(server.Close)

	allocator, stop := chromedp.NewExecAllocator(context.Background(), chromedp.ExecPath(program),
		chromedp.UserDataDir(t.TempDir()), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-dev-shm-usage", true))
	t.Cleanup(stop)
	tabs, end := chromedp.NewContext(allocator, chromedp.WithErrorf(t.Logf))
	t.Cleanup(end)
	if err := chromedp.Do(tabs); err != nil {
		t.Fatalf("starting %s: %v", program, err)
	}
	return &rig{store: store, url: server.URL, tabs: tabs}
}

func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if program, err := exec.LookPath(name); err == nil {
			return program
		}
	}
	const why = "there is no browser: install chromium"
	if slices.Contains(strings.Split(os.Getenv("TRAILSHIP_REQUIRE"), ","), "browser") {
		t.Fatal(why)
	}
	t.Skip(why)
	return ""
}

// noFormat writes no documents: the store keeps records.
type noFormat struct{}

func (noFormat) Append(dst []byte, _ *cloudtrail.Record) []byte                   { return dst }
func (noFormat) AppendDegraded(dst []byte, _ *cloudtrail.Record, _ string) []byte { return dst }
func (noFormat) Stamp([]byte, time.Time)                                          {}

// fill writes the sample files and the hostile record to a store.
func fill(t *testing.T, store *local.Store) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("..", "samples", "invictus", "*.json.gz"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no sample files: %v", err)
	}
	b := pipeline.NewBatch(1, noFormat{})
	add := func(r *cloudtrail.Record) {
		at, _ := r.Time()
		b.Add(r, r.Field(cloudtrail.EventID).Bytes(), "index", at)
	}
	reader := cloudtrail.NewReader()
	for _, name := range names {
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		reader.Reset(file, nil)
		for {
			r, err := reader.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			add(r)
		}
		file.Close()
	}
	var r cloudtrail.Record
	if err := r.Parse([]byte(hostile)); err != nil {
		t.Fatal(err)
	}
	add(&r)
	if _, err := store.Write(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

// A tab is one tab of the browser.
type tab struct {
	t   *testing.T
	ctx context.Context //nolint:containedctx // a tab is a context
	url string
}

// open opens a tab at a path of the page. Whatever opens a dialog of the browser fails the test.
func (r *rig) open(t *testing.T, path string) *tab {
	t.Helper()
	ctx, end := chromedp.NewContext(r.tabs)
	t.Cleanup(end)
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	t.Cleanup(cancel)
	b := &tab{t: t, ctx: ctx, url: r.url}
	b.do(chromedp.EmulateViewport(1400, 900))
	err := chromedp.Listen(ctx, func(event any) {
		if e, ok := event.(*page.EventJavascriptDialogOpening); ok {
			t.Errorf("the page opened a dialog: %s", e.Message)
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
		const end = Date.now() + 10000;
		const look = () => {
			const met = !!(` + condition + `);
			if (met || Date.now() > end) done(met); else setTimeout(look, 20);
		};
		look();
	})`
	met, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](script, chromedp.EvalAwaitPromise))
	if err != nil || !met {
		b.t.Fatalf("waiting for %s: %v; the page is %s\n%s", condition, err,
			evaluate[string](b, "location.href"), evaluate[string](b, "document.body?.innerText ?? ''"))
	}
}

// settle waits until the list is there, or a sentence instead of it.
func (b *tab) settle() {
	b.t.Helper()
	b.until(`document.getElementById("status")?.textContent.includes("shown") || document.getElementById("message")?.hidden === false`)
}

func evaluate[T any](b *tab, script string) T {
	b.t.Helper()
	got, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script))
	if err != nil {
		b.t.Fatalf("evaluating %s: %v", script, err)
	}
	return got
}

// ids are the events that the list shows.
func (b *tab) ids() []string {
	b.t.Helper()
	return evaluate[[]string](b, `[...document.querySelectorAll("tbody a")].map((a) => a.dataset.id)`)
}

// find asks the store what the list should show.
func (r *rig) find(t *testing.T, q history.Query) []string {
	t.Helper()
	found, err := r.store.Events(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	ids := []string{}
	for _, e := range found.Events {
		ids = append(ids, e.ID)
	}
	return ids
}
