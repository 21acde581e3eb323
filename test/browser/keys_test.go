//go:build browser

package browser_test

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/trailship/trailship/history"
)

// testKeys does an investigation without a mouse.
func (r *rig) testKeys(t *testing.T) {
	b := r.open(t, "/")
	key := func(keys ...string) {
		t.Helper()
		for _, k := range keys {
			b.do(chromedp.KeyEvent(k))
		}
	}
	key("/")
	b.until(`document.activeElement.name === "q"`)
	key("eventName:AssumeRole", kb.Enter)
	b.pills("Event name is AssumeRole on ×")
	ids := b.ids()
	key(kb.Escape)
	b.until(`document.activeElement === document.body`)
	key("j", "j", kb.ArrowDown, "k")
	b.until(`document.activeElement.closest("tr")?.dataset.id === ` + quote(ids[1]))
	key(kb.Enter)
	b.until(detailOpen)
	key("]")
	b.until(`document.querySelector("#detail").innerText.includes(` + quote(ids[2]) + `)`)
	key("[", kb.Escape)
	b.until(detailGone)
	b.until(`document.activeElement.closest("tr")?.dataset.id === ` + quote(ids[1]))
	key(kb.ArrowRight, kb.ArrowRight, kb.ArrowRight)
	b.until(`document.activeElement.className.includes("user")`)
	user := b.text(`#events tbody tr:nth-child(2) .user`)
	key("-")
	b.until(`document.querySelectorAll("#pills li.not").length === 1`)
	b.settle()
	if same := evaluate[bool](b, `[...document.querySelectorAll("#events .user")].some((td) => td.innerText === `+quote(user)+`)`); same {
		t.Errorf("got events of %s, who was left out", user)
	}
	key("j", "x", "j", "x")
	b.until(`document.querySelector("#ticked").innerText.includes("2 events ticked")`)
	key("?")
	b.until(`document.querySelector("#help[open]")`)
	key(kb.Escape)
	b.until(`!document.querySelector("#help[open]")`)
	key("f")
	b.until(`document.querySelector("#picker:popover-open") && document.activeElement.id === "picker-value"`)
	b.until(`document.querySelector("#picker-values li")`)
	key(kb.ArrowDown)
	b.until(`document.activeElement.closest("#picker-values")`)
	key(kb.Escape)
	b.until(`!document.querySelector("#picker:popover-open")`)
	// Single keys can be turned off; the arrows still work.
	b.run(`document.querySelector("#single-keys").click(); document.activeElement.blur()`)
	key("/")
	b.until(`document.activeElement.name !== "q"`)
	b.run(`document.querySelector("#single-keys").click()`)
	b.do(chromedp.Navigate(b.url + "/"))
	b.settle()
	same(t, "start", r.find(t, history.Query{}), b.ids())
}
