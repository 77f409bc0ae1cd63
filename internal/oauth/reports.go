package oauth

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"backoffice/internal/audit"
	"backoffice/internal/config"
	"backoffice/internal/errs"
	"backoffice/internal/store"
)

// Keep is how many reports an entry keeps: the newest ones.
const Keep = 50

// keepHealth is how many contents of an entry have their last verdict kept.
const keepHealth = 10

var (
	reports  = store.Table[Report]{Prefix: "oauth/report/", Memo: store.NewMemo(32, clipReport).UpTo(64 << 10)}
	lists    = store.Table[[]Summary]{Prefix: "oauth/reports/", Memo: store.NewMemo(32, clipList).UpTo(64 << 10)}
	standing = store.Table[[]Summary]{Prefix: "oauth/health/"}
)

// clipReport leaves a shared report without spare capacity.
func clipReport(r *Report) {
	r.Fields, r.Remedies, r.Identity, r.Steps = slices.Clip(r.Fields), slices.Clip(r.Remedies), slices.Clip(r.Identity), slices.Clip(r.Steps)
	r.Grants = slices.Clip(r.Grants)
	for i := range r.Steps {
		st := &r.Steps[i]
		st.Sent, st.Received, st.Further = slices.Clip(st.Sent), slices.Clip(st.Received), slices.Clip(st.Further)
	}
}

func clipList(list *[]Summary) { *list = slices.Clip(*list) }

const generationKey = "oauth/generation"

// reportID is what finish makes; nothing else becomes a part of a store key.
var reportID = regexp.MustCompile(`^[0-9]{8}-[0-9]{6}\.[0-9]{3}-[0-9a-f]{8}$`)

func reportKey(id config.ID, report string) string { return string(id) + "/" + report }

// keep stores a report with what it found out about permissions and its event, and takes the oldest one beyond Keep away,
// in one transaction. It returns an errs.NotFound if the entry is gone.
func (s *Service) keep(ctx context.Context, r Report, g GrantRun, e audit.Event) error {
	return s.store.Update(ctx, func(tx store.Tx) error {
		return errors.Join(keepReport(tx, r), keepGrantsOf(tx, r.Entry, g), audit.Append(tx, e))
	})
}

func keepReport(tx store.Tx, r Report) error {
	if err := r.present(tx); err != nil {
		return err
	}
	list, err := getList(tx, lists, r.Entry)
	if err != nil {
		return err
	}
	list = append([]Summary{r.Summary()}, list...)
	for len(list) > Keep {
		reports.Delete(tx, reportKey(r.Entry, list[len(list)-1].ID))
		list = list[:len(list)-1]
	}
	if err := keepStanding(tx, r); err != nil {
		return err
	}
	return errors.Join(reports.Put(tx, reportKey(r.Entry, r.ID), r), lists.Put(tx, string(r.Entry), list), raise(tx))
}

// present returns an errs.NotFound if what r tested is gone. Values that were not
// saved need only their entry.
func (r Report) present(tx store.Tx) error {
	if !r.Unsaved {
		return present(tx, r.Entry, r.Version, r.ContentHash)
	}
	ok, err := config.HasEntry(tx, r.Entry)
	if err == nil && !ok {
		err = deletedMeanwhile(r.Entry)
	}
	return err
}

// present returns an errs.NotFound if the entry does not have the version with
// that content any more: what is kept of one that is gone would be found under
// the next that has its id.
func present(tx store.Tx, id config.ID, n int, hash string) error {
	ok, err := config.Has(tx, id, n, hash)
	if err == nil && !ok {
		err = deletedMeanwhile(id)
	}
	return err
}

func deletedMeanwhile(id config.ID) error {
	return errs.Newf(errs.NotFound, "There is no entry %s with this version any more. It was deleted while its test was under way; the audit log says by whom.", id)
}

// keepStanding keeps the last summary that tells of each content: few bytes an
// entry, so that the health of all entries is quick to read.
func keepStanding(tx store.Tx, r Report) error {
	if !tells(r.Summary()) {
		return nil
	}
	old, err := getList(tx, standing, r.Entry)
	if err != nil {
		return err
	}
	list := []Summary{r.Summary()}
	for _, s := range old {
		if s.ContentHash == r.ContentHash && yields(r.Summary(), s) {
			return nil
		}
		if s.ContentHash != r.ContentHash && len(list) < keepHealth {
			list = append(list, s)
		}
	}
	return standing.Put(tx, string(r.Entry), list)
}

func getList(r store.Getter, t store.Table[[]Summary], id config.ID) ([]Summary, error) {
	list, err := t.Get(r, string(id))
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return list, err
}

// deleteReports is what deleting an entry takes along.
func deleteReports(tx store.Tx, id config.ID) error {
	list, err := getList(tx, lists, id)
	if err != nil {
		return err
	}
	for _, s := range list {
		reports.Delete(tx, reportKey(id, s.ID))
	}
	lists.Delete(tx, string(id))
	standing.Delete(tx, string(id))
	starteds.Delete(tx, string(id))
	grantRuns.Delete(tx, string(id))
	paces.Delete(tx, entryPace(id))
	return errors.Join(deleteRadar(tx, id), raise(tx))
}

// Reports returns the summaries of the entry's reports, newest first; none is no
// error.
func (s *Service) Reports(ctx context.Context, id config.ID) ([]Summary, error) {
	var list []Summary
	err := s.store.View(ctx, func(r store.Reader) (err error) {
		list, err = getList(r, lists, id)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing the reports of %s: %w", id, err)
	}
	return list, nil
}

// Report returns one report, or an errs.NotFound: only the last Keep are kept.
func (s *Service) Report(ctx context.Context, id config.ID, report string) (Report, error) {
	missing := errs.Newf(errs.NotFound, "There is no such report of %s. Only the last %d are kept.", id, Keep)
	if !reportID.MatchString(report) {
		return Report{}, missing
	}
	var out Report
	err := s.store.View(ctx, func(r store.Reader) (err error) {
		out, err = reports.Get(r, reportKey(id, report))
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return Report{}, missing
	}
	if err != nil {
		return Report{}, fmt.Errorf("reading a report of %s: %w", id, err)
	}
	return out, nil
}

func readGeneration(r store.Getter) (int64, error) { return readCounter(r, generationKey) }

func raise(tx store.Tx) error { return raiseCounter(tx, generationKey) }
