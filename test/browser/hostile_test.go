//go:build browser

package browser_test

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// A record made of markup is text and nothing else, wherever it is shown.
func (r *rig) testHostile(t *testing.T) {
	b := r.open(t, "/?to=2020-01-01T00:00:00Z&cols=name,outcome,time,user,source,resources,userAgent,accessKey,id,region")
	counted := `document.querySelectorAll("script, iframe, img, object, embed, [onerror], [onload], [onmouseover], [srcdoc], a[href^=javascript]").length`
	const own = 2 // the page's script and icon
	if got := evaluate[string](b, `document.querySelector("#events tbody a").textContent`); got != "<img src=x onerror=alert(1)>" {
		t.Errorf("got event name %q, want it as text", got)
	}
	b.click("#events tbody a")
	b.until(detailOpen)
	b.run(`[...document.querySelectorAll("#detail .plus")].find((e) => e.getAttribute("aria-label").startsWith("Show only User name")).click()`)
	b.until(`document.querySelector("#pills li b")?.textContent === "<svg onload=alert(4)>"`)
	b.settle()
	b.click("#add")
	b.until(`document.querySelector("#picker-values li")`)
	b.run(`document.getElementById("picker").hidePopover(); document.querySelector("#events .box").click()`)
	b.run(`document.querySelector("#take").click()`)
	b.until(`document.querySelector("#command").textContent.includes("'<svg onload=alert(4)>'")`)
	b.run(`document.getElementById("take-box").hidePopover(); [...document.querySelectorAll("#detail button")].find((e) => e.textContent === "Tree").click()`)
	if got := evaluate[int](b, counted); got != own {
		t.Errorf("got %d elements that could run, want the page's own %d", got, own)
	}
	text := evaluate[string](b, `document.querySelector("#detail pre").textContent`)
	for _, want := range []string{`"z": 9007199254740993`, `"a": 1.0`, `aU+202Eb`} {
		if !strings.Contains(text, want) {
			t.Errorf("got no %s in %s", want, text)
		}
	}
	if shown := evaluate[bool](b, `/[\u202e\u2066\u0000\u001b]/.test(document.body.textContent)`); shown {
		t.Error("got a character that turns text round or controls, want its code")
	}
	if polluted := evaluate[bool](b, `({}).polluted !== undefined`); polluted {
		t.Error("a record has changed what all objects inherit")
	}
	if refused := evaluate[bool](b, `(() => { try { document.body.innerHTML = "x"; return false } catch { return true } })()`); !refused {
		t.Error("got markup from a string, want the policy to refuse it")
	}
	b.run(`[...document.querySelectorAll("#pills .remove")].at(-1).click()`)

	b = r.open(t, "/?ev=deep")
	b.until(detailOpen)
	if got := evaluate[int](b, `document.querySelectorAll("#detail .tree details").length`); got > 20 {
		t.Errorf("got %d parts of a deep record at once, want them when they are opened", got)
	}
}

// A record of texts without end is a row like others, and its detail is there soon.
func (r *rig) testHuge(t *testing.T) {
	b := r.open(t, "/?from=2020-01-01T00:00:02Z&to=2020-01-01T00:00:02Z")
	for _, width := range []int64{1400, 320} {
		b.do(chromedp.EmulateViewport(width, 900))
		if got := evaluate[float64](b, `document.querySelector("#events tbody tr").offsetHeight`); got > 900 {
			t.Errorf("at %d px: got a row %v px high", width, got)
		}
		began := time.Now()
		b.run(`document.querySelector("#events tbody a").click()`) // its middle is not to be seen
		b.until(detailOpen)
		if width == 1400 {
			r.times.add("the detail of a record of a megabyte", time.Since(began))
		}
		if got := evaluate[int64](b, "document.documentElement.scrollWidth"); got > width {
			t.Errorf("at %d px: got a page %d px wide", width, got)
		}
		if got := evaluate[float64](b, `document.querySelector("#detail .head").offsetHeight`); got > 200 {
			t.Errorf("at %d px: got a heading %v px high", width, got)
		}
		if got := evaluate[int](b, `document.querySelectorAll("#detail li").length`); got > 500 {
			t.Errorf("at %d px: got %d parts at once", width, got)
		}
		b.click("#close")
		b.until(detailGone)
	}
}
