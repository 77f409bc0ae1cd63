package server

import (
	"backoffice/internal/auth"
	"backoffice/internal/outside"
	"backoffice/internal/signin"
	"backoffice/web"

	"github.com/labstack/echo/v4"
)

// revealPermission is what a page must know to offer a reveal.
const revealPermission = auth.ConfigReveal

// configWrite is what a page must know to offer a form that changes an entry.
const configWrite = auth.ConfigWrite

// settingsCheck is what a page must know to offer a check of the public address.
const settingsCheck = auth.SettingsCheck

// What a page must know to offer an export of the log, and a check of it.
const (
	auditExport = auth.AuditExport
	auditCheck  = auth.AuditCheck
)

// backupTake is what a page must know to offer a backup.
const backupTake = auth.BackupTake

// A route is one row of the product: what may be asked for, by whom, and who
// answers.
type route struct {
	method, path string
	may          auth.Permission
	handle       echo.HandlerFunc
}

// callbackPath is where providers send browsers back, with a code and a state.
const callbackPath = "/auth/:service/callback"

// routes is the whole product. A test walks it as nobody and as each role.
func routes(g gate) []route {
	door := doorPages{g}
	entries := listPages{g}
	forms := formPages{g}
	values := valuePages{g}
	secrets := secretPages{g}
	deletes := deletePages{g}
	approvals := approvalPages{g}
	history := historyPages{g}
	rotation := rotationPages{g}
	scopes := scopePages{g}
	hooks := hookPages{g}
	guides := guidePages{g}
	news := notificationPages{g}
	tests := testPages{g}
	catalogue := cataloguePages{g}
	log := auditPages{g}
	account := accountPages{g}
	team := teamPages{g}
	factor := factorPages{g}
	house := housePages{g}
	radar := radarPages{g}
	keys := keyPages{g}
	checks := outsidePages{g}
	backups := backupPages{g}
	signIn := signInPages{g}
	calendars := calendarPages{g, &askers{}}
	files := exchangePages{g}
	hook := receiver{g, newRoom()}
	static := echo.WrapHandler(web.Handler())
	return []route{
		{"GET", "/healthz", auth.Machine, house.healthz},
		{"GET", "/readyz", auth.Machine, house.readyz},
		{"GET", "/metrics", auth.Machine, radar.metrics}, // for who has the token of --metrics-token
		{"GET", "/static/*", auth.Machine, static},
		{"GET", "/favicon.ico", auth.Machine, house.favicon},

		{"GET", "/setup", auth.SetUp, door.askSetup},
		{"POST", "/setup", auth.SetUp, door.setup},
		{"GET", "/invite", auth.Invited, door.askInvite},
		{"POST", "/invite", auth.Invited, door.join},
		{"GET", "/login", auth.Public, door.askLogin},
		{"POST", "/login", auth.Public, door.login},
		{"POST", "/login/code", auth.Public, door.loginCode},
		{"POST", "/login/passkey", auth.Public, door.passkey},
		{"POST", "/login/passkey/begin", auth.Public, door.beginPasskey},
		{"POST", "/login/provider", auth.Public, door.provider},
		{"GET", signin.CallbackPath, auth.Public, door.callback},
		{"GET", confirmPath, auth.Public, door.askConfirm},
		{"POST", "/login/link", auth.Public, door.link},
		{"POST", "/logout", auth.Public, door.logout},
		{"POST", "/theme", auth.Public, door.theme},

		{"GET", "/", auth.Overview, house.overview},
		{"GET", "/search", auth.Overview, house.search},
		{"POST", "/radar", auth.RadarPause, radar.pause},

		{"GET", "/config", auth.ConfigRead, entries.list},
		{"POST", "/config", auth.ConfigWrite, forms.create},
		{"GET", "/config/new", auth.ConfigWrite, forms.fresh},
		{"GET", "/config/export", auth.EntriesExport, files.askExport},
		{"POST", "/config/export", auth.EntriesExport, files.export},
		{"GET", importPath, auth.EntriesImport, files.askImport},
		{"POST", importPath, auth.EntriesImport, files.upload},
		{"GET", planPath, auth.EntriesImport, files.plan},
		{"POST", planPath, auth.EntriesImport, files.apply},
		{"POST", planPath + "/discard", auth.EntriesImport, files.discard},
		{"GET", "/config/:id", auth.ConfigRead, values.show},
		{"POST", "/config/:id", auth.ConfigWrite, forms.save},
		{"GET", "/config/:id/edit", auth.ConfigWrite, forms.edit},
		{"POST", "/config/:id/promote", auth.ConfigPromote, values.promote},
		{"POST", "/config/:id/rollback", auth.ConfigPromote, values.rollBack},
		{"POST", "/config/:id/discard", auth.ConfigWrite, values.discard},
		{"POST", "/config/:id/compare", auth.ConfigWrite, values.compare},
		{"GET", "/config/:id/approve", auth.ConfigApprove, approvals.ask},
		{"POST", "/config/:id/approve", auth.ConfigApprove, approvals.approve},
		{"POST", "/config/:id/reject", auth.ConfigApprove, approvals.reject},
		{"GET", "/config/:id/rule", auth.ConfigRule, approvals.askRule},
		{"POST", "/config/:id/rule", auth.ConfigRule, approvals.setRule},
		{"GET", "/config/:id/reveal", auth.ConfigReveal, secrets.ask},
		{"POST", "/config/:id/reveal", auth.ConfigReveal, secrets.reveal},
		{"GET", "/config/:id/delete", auth.ConfigDelete, deletes.ask},
		{"POST", "/config/:id/delete", auth.ConfigDelete, deletes.remove},
		{"GET", "/config/:id/rotate", auth.ConfigRead, rotation.show},
		{"POST", "/config/:id/rotate", auth.ConfigWrite, rotation.act}, // the short way: and config.promote
		{"POST", "/config/:id/rotate/promote", auth.ConfigPromote, rotation.promote},
		{"POST", "/config/:id/rotate/retire", auth.ConfigPromote, rotation.retire},
		{"POST", "/config/:id/expiry", auth.ConfigWrite, values.expire},
		{"GET", "/config/:id/history", auth.ConfigRead, history.show},
		{"GET", "/config/:id/scopes", auth.ConfigRead, scopes.show},
		{"POST", "/config/:id/scopes", auth.ConfigWrite, scopes.save},
		{"GET", "/config/:id/webhooks", auth.ConfigRead, hooks.show},
		{"POST", "/config/:id/webhooks", auth.ConfigWrite, hooks.save},
		{"GET", "/config/:id/guide", auth.ConfigRead, guides.show},
		{"POST", "/config/:id/guide", auth.ConfigWrite, guides.change},
		{"GET", entryEvents, auth.WebhookRead, hooks.events},
		{"POST", "/config/:id/webhooks/send", auth.ConfigTest, hooks.send},
		{"GET", "/config/:id/test", auth.ConfigRead, tests.show},
		{"GET", "/config/:id/test/:run", auth.ConfigRead, tests.show},
		{"GET", caseFilePath, caseFilePermission, tests.caseFile},
		{"POST", "/config/:id/test", auth.ConfigTest, tests.start},
		{"GET", "/config/:id/test/compare", auth.ConfigRead, tests.compare},
		{"GET", "/config/:id/test/:run/events", auth.ConfigRead, tests.events},
		{"POST", "/config/:id/consent", auth.ConfigTest, tests.consent},
		{"POST", "/config/:id/test/token", auth.ConfigTest, tests.token},
		{"POST", "/config/test-values", auth.ConfigTest, forms.testValues}, // and config.write
		{"GET", "/trials/:run", auth.ConfigTest, tests.trial},
		{"GET", "/trials/:run/events", auth.ConfigTest, tests.trialEvents},
		{"GET", callbackPath, auth.ConfigTest, tests.callback},

		{"GET", "/connectors", auth.ConnectorRead, catalogue.list},
		{"GET", "/connectors/:key", auth.ConnectorRead, catalogue.show},
		// The list has /webhooks itself; all else below it is for providers.
		{"GET", notificationsPath, auth.WebhookRead, news.list},
		{"GET", notificationEvents, auth.WebhookRead, news.events},
		{"GET", "/notifications/:owner/:id", auth.WebhookRead, news.show},
		{"GET", "/notifications/:owner/:id/body", auth.WebhookRead, news.body},
		{"POST", "/notifications/:owner/:id/replay", auth.WebhookReplay, news.replay},
		{"GET", "/audit", auth.AuditRead, log.list},
		{"GET", "/audit/:n", auth.AuditRead, log.show},
		{"POST", "/audit/export", auditExport, log.export},
		{"POST", "/audit/check", auditCheck, log.check},
		{"GET", auditNews, auditCheck, log.events},
		{"GET", receiptPath, auth.AuditRead, log.receipt},
		{"GET", auditKeyPath, auditCheck, log.key},
		{"GET", auditHeadPath, auditCheck, log.head},
		{"GET", "/account", auth.SignedIn, account.show},
		{"POST", "/account/password", auth.SignedIn, account.password},
		{"POST", "/account/sessions", auth.SignedIn, account.end},
		{"POST", "/account/proof", auth.SignedIn, account.proof},
		{"POST", "/account/proof/passkey", auth.SignedIn, account.beginProof},
		{"POST", "/account/proof/provider", auth.SignedIn, account.proveAtProvider},
		{"GET", "/account/factor", auth.SignedIn, factor.show},
		{"POST", "/account/factor", auth.Factor, factor.confirm},
		{"POST", "/account/factor/begin", auth.Factor, factor.begin},
		{"POST", "/account/factor/codes", auth.Factor, factor.codes},
		{"POST", "/account/factor/remove", auth.Factor, factor.remove},
		{"POST", "/account/factor/passkey-new", auth.Factor, factor.newPasskey},
		{"POST", "/account/factor/passkey-add", auth.SignedIn, factor.addPasskey}, // what passkey-new asked
		{"POST", "/account/factor/passkey-rename", auth.SignedIn, factor.renamePasskey},
		{"POST", "/account/factor/passkey-remove", auth.Factor, factor.removePasskey},
		{"POST", "/account/calendar", auth.Calendar, calendars.change},
		{"GET", calendarPath, auth.Machine, calendars.feed}, // for who has the token in it
		{"GET", "/team", auth.TeamRead, team.list},
		{"POST", "/team/invite", auth.TeamWrite, team.invite},
		{"POST", "/team/withdraw", auth.TeamWrite, team.withdraw},
		{"GET", "/team/:user", auth.TeamWrite, team.show},
		{"POST", "/team/:user", auth.TeamWrite, team.grant},
		{"POST", "/team/:user/disable", auth.TeamWrite, team.disable},
		{"POST", "/team/:user/enable", auth.TeamWrite, team.enable},
		{"POST", "/team/:user/unlink", auth.TeamWrite, team.unlink},
		{"POST", "/team/:user/factor", auth.TeamWrite, team.resetFactor},
		{"POST", "/team/:user/sessions", auth.TeamSessions, team.endSessions},
		{"GET", "/settings", auth.SettingsRead, house.settings},
		{"GET", "/settings/backup", auth.SettingsRead, backups.show},
		{"POST", "/settings/backup", backupTake, backups.save},
		{"POST", "/settings/backup/download", backupTake, backups.download},
		{"GET", signInPath, auth.SignInManage, signIn.show},
		{"POST", signInPath, auth.SignInManage, signIn.save},
		{"POST", signInPath + "/begin", auth.SignInManage, signIn.begin},
		{"POST", signInPath + "/discard", auth.SignInManage, signIn.discard},
		{"POST", signInPath + "/test", auth.SignInManage, signIn.test},
		{"POST", signInPath + "/off", auth.SignInManage, signIn.off},
		{"GET", keysPath, auth.SettingsRead, keys.show},
		{"GET", keysProgress, auth.SettingsRead, keys.progress},
		{"POST", "/settings/keys/rotate", keysManage, keys.rotate},
		{"POST", "/settings/keys/reseal", keysManage, keys.reseal},
		{"POST", "/settings/keys/retire", keysManage, keys.retire},
		{"POST", "/settings/outside-in", auth.SettingsCheck, checks.run},
		{"GET", outside.VisitPath, auth.SettingsCheck, checks.visit},
		{"POST", "/settings/outside-in/browser", auth.SettingsCheck, checks.begin},
		{"POST", "/settings/outside-in/finish", auth.SettingsCheck, checks.finish},

		// Beside the addresses that providers get. Without a nonce they are 404.
		{"GET", outside.CallbackPath, auth.Machine, checks.callback},
		{"GET", outside.WebhookPath, auth.Machine, checks.webhook},
		{"POST", outside.WebhookPath, auth.Machine, checks.webhook},

		// Notifications of providers: to all entries of a service, and to those of one vendor.
		{"GET", servicePath, auth.Machine, hook.validate},
		{"POST", servicePath, auth.Machine, hook.take},
		{"GET", vendorPath, auth.Machine, hook.validate},
		{"POST", vendorPath, auth.Machine, hook.take},
	}
}
