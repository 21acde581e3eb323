//go:build browser

package browser_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/trailship/trailship/history"
)

// partial is a store that cannot tell everything: it looks at so many events and answers with what it has found. Its events
// stand behind pages without any.
type partial struct{ empty int }

const (
	missing = "2 of 9 shards did not answer"
	refused = "the sink's user may not search"
)

var partialDay = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func (p partial) Events(_ context.Context, q history.Query) (history.Page, error) {
	if q.Text == "refused" {
		return history.Page{}, &history.StoreError{Reason: refused, Err: errors.New("403")}
	}
	n, _ := strconv.Atoi(string(q.After)) // "" is the first
	if n < p.empty {
		return history.Page{Next: history.Cursor(strconv.Itoa(n + 1)), Lacks: missing}, nil
	}
	return history.Page{Events: []history.Event{partialEvent("one")}}, nil
}

func partialEvent(id string) history.Event {
	return history.Event{ID: id, Time: partialDay, Name: "GetObject", User: "bob", Record: []byte(`{"eventID":"one"}`), Derived: true}
}

func (partial) Event(_ context.Context, id string) (history.Event, error) {
	return partialEvent(id), nil
}

func (partial) Facets(_ context.Context, q history.Query, by []history.Attribute, _ int) (history.Facets, error) {
	if q.Text == "refused" {
		return history.Facets{}, &history.StoreError{Reason: refused, Err: errors.New("403")}
	}
	f := history.Facets{Base: 5000, Lacks: missing}
	for _, a := range by {
		f.Facets = append(f.Facets, history.Facet{Attribute: a, Values: []history.Count{{Value: "true", Count: 7}}})
	}
	return f, nil
}

func (partial) Histogram(_ context.Context, q history.Query, _ int) (history.Histogram, error) {
	switch q.Text {
	case "refused":
		return history.Histogram{}, &history.StoreError{Reason: refused, Err: errors.New("403")}
	case "newest":
		return history.Histogram{Total: 5000}, nil
	}
	bar := history.Bar{From: partialDay, To: partialDay.Add(time.Minute), Success: 5000}
	return history.Histogram{Bars: []history.Bar{bar}, Step: time.Minute, Total: 5000, Lacks: missing}, nil
}

func (partial) Values(_ context.Context, a history.Attribute, _ string, _ int) (history.Facet, error) {
	return history.Facet{Attribute: a}, nil
}

func (partial) Extent(context.Context) (history.Extent, error) {
	return history.Extent{Oldest: partialDay, Newest: partialDay, Events: 5000}, nil
}

// says checks the text of an element that is to be seen.
func (b *tab) says(selector, want string) {
	b.t.Helper()
	b.until(`document.querySelector(` + quote(selector) + `)?.checkVisibility() && document.querySelector(` + quote(selector) + `).textContent.includes(` + quote(want) + `)`)
}

// What an answer lacks stands beside it, and empty pages with a next one are gone through, so far.
func TestPage_lacks(t *testing.T) {
	r := browse(t)
	t.Run("a few empty pages", func(t *testing.T) {
		r.serve(t, partial{empty: 3})
		b := r.open(t, "/")
		b.until(`document.querySelectorAll("#events tbody tr").length === 1`)
		for _, place := range []string{"#list-lacks", "#facets-lacks", "#histogram-lacks"} {
			b.says(place, "Not everything: "+missing+".")
		}
		b.says("#status", "at least 1 event")
		b.says("[data-hide] small", "≥ 7")
		for _, width := range []int64{1400, 320} {
			b.do(chromedp.EmulateViewport(width, 900))
			if got := evaluate[int64](b, "document.documentElement.scrollWidth"); got > width {
				t.Errorf("at %d px it is %d px wide", width, got)
			}
			shot, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(folder(t), fmt.Sprintf("page-lacks-light-%d.png", width)), shot, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	})
	t.Run("many empty pages", func(t *testing.T) {
		r.serve(t, partial{empty: 12}) // the first, five by the page itself, and twice five
		b := r.open(t, "/?q=x")
		b.says("#message", "None of the events looked at so far")
		b.click("#message button")
		b.says("#message", "None of the events looked at so far")
		b.click("#more")
		b.until(`document.querySelectorAll("#events tbody tr").length === 1 && document.getElementById("more").hidden`)
	})
	t.Run("counted among the newest", func(t *testing.T) {
		r.serve(t, partial{})
		r.open(t, "/?q=newest").says("#histogram-lacks", "of the newest 5,000 events only")
	})
	t.Run("refused", func(t *testing.T) {
		r.serve(t, partial{})
		b := r.open(t, "/?q=refused")
		b.says("#message", refused)
		if !evaluate[bool](b, `document.getElementById("list-lacks").hidden`) {
			t.Error("got what the list lacks where there is no list")
		}
		b.do(chromedp.Navigate(r.url + "/"))
		b.says("#facets-lacks", missing)
	})
	t.Run("a record that was not kept", func(t *testing.T) {
		r.serve(t, partial{})
		b := r.open(t, "/?ev=one")
		b.says("#detail .record .lacks", "not the record as AWS wrote it")
		if got := b.text("#detail .record pre"); !strings.Contains(got, "one") {
			t.Errorf("got record %q, want what is left of it", got)
		}
	})
}
