//go:build browser

package browser_test

import "testing"

func TestPage(t *testing.T) {
	r := start(t)
	t.Run("load", r.testLoad)
	t.Run("filters", r.testFilters)
	t.Run("values", r.testValues)
	t.Run("picker", r.testPicker)
	t.Run("text", r.testText)
	t.Run("noise", r.testNoise)
	t.Run("range", r.testRange)
	t.Run("brush", r.testBrush)
	t.Run("scroll", r.testScroll)
	t.Run("columns", r.testColumns)
	t.Run("sentences", r.testSentences)
	t.Run("detail", r.testDetail)
	t.Run("tree", r.testTree)
	t.Run("leaves", r.testLeaves)
	t.Run("around", r.testAround)
	t.Run("chain", r.testChain)
	t.Run("compare", r.testCompare)
	t.Run("questions", r.testQuestions)
	t.Run("export", r.testExport)
	t.Run("keys", r.testKeys)
	t.Run("hostile", r.testHostile)
	t.Run("huge", r.testHuge)
	t.Run("audit", r.testAudit)
	t.Run("looks", r.testLooks)
	r.times.show(t)
}
