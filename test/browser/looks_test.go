//go:build browser

package browser_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/trailship/trailship/history"
)

// scheme makes the tab light or dark.
func (b *tab) scheme(name string) {
	b.t.Helper()
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: name},
		{Name: "prefers-reduced-motion", Value: "reduce"}, // else colours are looked at while they change
	}}
	_, err := chromedp.Run(b.ctx, func(ctx context.Context, tab *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, media)
		return chromedp.Void{}, err
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// testLooks takes pictures to look at, and checks that nothing needs sideways scrolling.
func (r *rig) testLooks(t *testing.T) {
	into := folder(t)
	ids := r.find(t, history.Query{Filters: []history.Filter{is(history.EventName, "RunInstances")}})
	day := "from=2023-07-10T11:40:00Z&to=2023-07-10T12:40:00Z"
	// What is waited for stands before and behind what is done.
	looks := []struct{ name, path, until, do, then string }{
		{"list", "/?" + day, "document.querySelector('#facets li')", "", "true"},
		{"filtered", "/?f=outcome:denied&f=-eventSource:kms.amazonaws.com&off=user:bert-jan&f=eventName*:Get*&" + day, "true", "", "true"},
		{"detail", "/?" + day + "&ev=" + url.QueryEscape(ids[0]), detailOpen, "", "true"},
		{"tree", "/?" + day + "&ev=" + url.QueryEscape(ids[0]), detailOpen, `document.querySelector("#detail .tree").scrollIntoView({block: "center"})`, "true"},
		{"compare", fmt.Sprintf("/?view=compare&tick=%s&tick=%s&tick=%s", ids[0], ids[1], ids[2]), `document.querySelector("#compare tbody tr")`, "", "true"},
		{"questions", "/?" + day, "true", `document.getElementById("ask").click()`, `document.querySelector("#questions a")`},
		{"empty", "/?f=user:nobody", "true", "", "true"},
	}
	for _, look := range looks {
		b := r.open(t, look.path)
		b.until(look.until)
		b.until(`!document.querySelector(".stale")`)
		for _, width := range []int64{2000, 1400, 768, 320} {
			b.do(chromedp.EmulateViewport(width, 900))
			b.run(look.do)
			b.until(look.then)
			if got := evaluate[int64](b, "document.documentElement.scrollWidth"); got > width {
				t.Errorf("%s at %d px is %d px wide", look.name, width, got)
			}
			for _, scheme := range []string{"light", "dark"} {
				if (width == 2000 || width == 768) && scheme == "dark" {
					continue // it has nothing that the other two do not show
				}
				b.scheme(scheme)
				shot, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
				if err != nil {
					t.Fatal(err)
				}
				file := filepath.Join(into, fmt.Sprintf("page-%s-%s-%d.png", look.name, scheme, width))
				if err := os.WriteFile(file, shot, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			b.run(`document.querySelector(":popover-open")?.hidePopover()`)
		}
	}
}
