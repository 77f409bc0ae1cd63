package server

import (
	"fmt"
	"slices"

	"backoffice/internal/audit"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
	"golang.org/x/mod/sumdb/tlog"
)

// The tree's measures, in units of its picture.
const (
	treeHalf  = 58.0 // between a node and the one above it, across
	treeRow   = 62.0 // and upwards
	treeBox   = 104.0
	treeTall  = 22.0
	treeSteps = 2 // of a longer proof are drawn one by one
)

// drawProof fills in what leads from the event to the root. What the steps cover is
// for those who may know how long the log is.
func (p auditPages) drawProof(c echo.Context, page *templates.AuditEventPage, leaf audit.Leaf) {
	n := leaf.Event.N
	page.Proof = proofTree(n, leaf)
	page.ProofWords = "It is the only event, so its hash is the root of the whole log."
	if k := len(leaf.Proof); k > 0 {
		page.ProofWords = fmt.Sprintf("The event’s hash and %s of its neighbours add up to the root of the whole log. Changing one letter of the event would change the root, which is signed.",
			templates.Count(int64(k))+pick(k == 1, " given hash", " given hashes"))
	}
	if !p.unlimited(c) {
		return
	}
	page.TreeSize = plural(int(leaf.Size), "event")
	for _, s := range leaf.Proof {
		side := "after"
		if s.Before {
			side = "before"
		}
		page.Steps = append(page.Steps, templates.ProofStep{Given: s.Hash.String(), Of: eventsWord(s.From, s.To) + ", " + side, Sum: s.Sum.String()})
	}
}

// eventsWord names the events [from, to).
func eventsWord(from, to int64) string {
	if to-from == 1 {
		return "event " + templates.Count(from)
	}
	return "events " + templates.Count(from) + " to " + templates.Count(to-1)
}

// proofTree is the way up from an event, with the hashes that are given beside it.
func proofTree(n int64, leaf audit.Leaf) templates.ProofTree {
	drawn := leaf.Proof[:min(treeSteps, len(leaf.Proof))]
	more := len(leaf.Proof) - len(drawn)
	rows := len(drawn)
	if more > 0 {
		rows++
	}
	y := float64(rows)*treeRow + 8
	x, left, right := 0.0, 0.0, 0.0
	var out templates.ProofTree
	box := func(x, y float64, text string, given bool) {
		left, right = min(left, x), max(right, x)
		out.Boxes = append(out.Boxes, templates.ProofBox{X: decimal(x - treeBox/2), Y: decimal(y), Width: decimal(treeBox), Height: decimal(treeTall), TextX: decimal(x), TextY: decimal(y + 15), Text: text, Given: given})
	}
	climb := func(before bool, given, sum string) {
		side := treeHalf
		if before {
			side = -treeHalf
		}
		up, beside := x+side, x+2*side
		out.Given += fmt.Sprintf("M%s %sV%sH%s", decimal(beside), decimal(y), decimal(y-20), decimal(up))
		out.Path += fmt.Sprintf("M%s %sV%sH%sV%s", decimal(x), decimal(y), decimal(y-20), decimal(up), decimal(y-treeRow+treeTall))
		box(beside, y, given, true)
		x, y = up, y-treeRow
		box(x, y, sum, false)
	}
	box(x, y, "event "+templates.Count(n), false)
	for i, s := range drawn {
		sum := shortHash(s.Sum)
		if more == 0 && i == len(drawn)-1 {
			sum = "root " + s.Sum.String()[:4] + "…"
		}
		climb(s.Before, shortHash(s.Hash), sum)
	}
	if more > 0 {
		climb(leaf.Proof[len(drawn)].Before, fmt.Sprintf("%d more", more), "root "+leaf.Root.String()[:4]+"…")
	}
	out.ViewBox = fmt.Sprintf("%s 0 %s %s", decimal(left-treeBox/2-4), decimal(right-left+treeBox+8), decimal(float64(rows)*treeRow+treeTall+16))
	out.Label = fmt.Sprintf("Proof for event %s: its hash and the given hashes of its neighbours add up, step by step, to the root.", templates.Count(n))
	slices.SortStableFunc(out.Boxes, func(a, b templates.ProofBox) int { return boolInt(b.Given) - boolInt(a.Given) })
	return out
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func shortHash(h tlog.Hash) string {
	s := h.String()
	return s[:4] + " … " + s[len(s)-4:]
}
