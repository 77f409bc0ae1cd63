package templates

import "time"

func sampleBackup() BackupPage {
	return BackupPage{Frame: frame("Backup", SectionSettings), Verdict: VerdictWarning, Word: "Overdue", Lead: "The last one was made yesterday.",
		Notice: Notice{Verdict: VerdictWrong, Heading: "The scheduled backup fails", Text: "The disk is full."}, Take: true, Save: true, Since: before(time.Second),
		Schedule: []Fact{{Label: "Directory", Text: "/mnt/backup", Code: true}, {Label: "Every", Text: "24 hours"}}, Recipients: []string{"age1sample"},
		File: []Fact{{Label: "Size", Text: "12.3 MB"}, {Label: "Free", Text: "61 %"}}, FileNote: "backoffice compact gives it back.",
		Rows: []BackupRow{
			{When: before(time.Hour), How: "By the schedule", Size: "1.2 MB", File: "backoffice-0a1b2c3d-20260917T120000Z.tar.zst.age", Sum: "9c41e07b5d2f", To: "Encrypted", Verdict: VerdictOK, Word: "Read back"},
			{When: before(2 * time.Hour), How: "Download", By: "owner@acme.example", Size: "1.2 MB", Sum: "9c41e07b5d2f", To: "Not encrypted", Verdict: VerdictNotChecked, Word: "Taken away"},
			{When: before(3 * time.Hour), How: "By the schedule", Verdict: VerdictWrong, Word: "Failed", Fault: "The disk is full."}}}
}
