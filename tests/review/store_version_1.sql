-- A store as the first version of the schema left it; never change it.
BEGIN TRANSACTION;
CREATE TABLE comments (
	id TEXT NOT NULL,
	case_id TEXT NOT NULL,
	round INTEGER NOT NULL,
	author TEXT NOT NULL,
	at DOUBLE NOT NULL,
	text TEXT NOT NULL,
	voxel TEXT NOT NULL,
	reader TEXT NOT NULL,
	resolved TEXT NOT NULL,
	changed BIGINT NOT NULL,
	PRIMARY KEY (id),
	FOREIGN KEY(id) REFERENCES log (id)
);
CREATE TABLE decisions (
	id TEXT NOT NULL,
	case_id TEXT NOT NULL,
	who TEXT NOT NULL,
	at DOUBLE NOT NULL,
	choice TEXT NOT NULL,
	scope TEXT NOT NULL,
	readers TEXT NOT NULL,
	mask TEXT NOT NULL,
	box TEXT NOT NULL,
	about TEXT NOT NULL,
	reason TEXT NOT NULL,
	undone BOOLEAN NOT NULL,
	changed BIGINT NOT NULL,
	PRIMARY KEY (id),
	FOREIGN KEY(id) REFERENCES log (id)
);
CREATE TABLE leases (
	case_id TEXT NOT NULL,
	reading TEXT NOT NULL,
	owner TEXT NOT NULL,
	who TEXT NOT NULL,
	host TEXT NOT NULL,
	until DOUBLE NOT NULL,
	PRIMARY KEY (case_id, reading)
);
CREATE TABLE log (
	number BIGINT NOT NULL,
	id TEXT NOT NULL,
	who TEXT NOT NULL,
	what TEXT NOT NULL,
	at DOUBLE NOT NULL,
	stored DOUBLE NOT NULL,
	case_id TEXT NOT NULL,
	round INTEGER NOT NULL,
	reader TEXT NOT NULL,
	reason TEXT NOT NULL,
	note TEXT NOT NULL,
	detail TEXT NOT NULL,
	PRIMARY KEY (number),
	UNIQUE (id)
);
INSERT INTO "log" VALUES(1,'act 1','Ada','enrol',1700000000.0,1.79539519536999464034e+09,'',0,'Ada','','','{"type":"enrol","person":"Ada","role":"reader","who":"Ada","id":"act 1","at":1700000000.0,"clock":-95395195}');
INSERT INTO "log" VALUES(2,'act 2','Bob','submit',1700000000.0,1.79539519537301206584e+09,'case 1',0,'Bob','','','{"type":"submit","case":"case 1","reader":"Bob","round":0,"readings":{"L1 · corrected by Bob":6},"who":"Bob","id":"act 2","at":1700000000.0,"clock":-95395195}');
CREATE TABLE meta (
	id INTEGER NOT NULL,
	dataset TEXT NOT NULL,
	number BIGINT NOT NULL,
	PRIMARY KEY (id)
);
INSERT INTO "meta" VALUES(1,'chests',2);
CREATE TABLE people (
	name TEXT NOT NULL,
	role TEXT NOT NULL,
	changed BIGINT NOT NULL,
	PRIMARY KEY (name)
);
INSERT INTO "people" VALUES('Ada','adjudicator',1);
INSERT INTO "people" VALUES('Bob','reader',2);
CREATE TABLE priorities (
	case_id TEXT NOT NULL,
	priority INTEGER NOT NULL,
	changed BIGINT NOT NULL,
	PRIMARY KEY (case_id)
);
CREATE TABLE readings (
	id TEXT NOT NULL,
	number BIGINT NOT NULL,
	case_id TEXT NOT NULL,
	round INTEGER NOT NULL,
	name TEXT NOT NULL,
	owner TEXT NOT NULL,
	"of" TEXT NOT NULL,
	base TEXT NOT NULL,
	at DOUBLE NOT NULL,
	payload BLOB NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT readings_of_cases UNIQUE (case_id, name, number),
	FOREIGN KEY(number) REFERENCES log (number)
);
INSERT INTO "readings" VALUES('act 2-0',2,'case 1',0,'L1 · corrected by Bob','Bob','L1','',1700000000.0,X'766F78656C73');
CREATE TABLE rounds (
	number INTEGER NOT NULL,
	title TEXT NOT NULL,
	blind BOOLEAN NOT NULL,
	start TEXT NOT NULL,
	readers TEXT NOT NULL,
	cases TEXT NOT NULL,
	closed BOOLEAN NOT NULL,
	changed BIGINT NOT NULL,
	PRIMARY KEY (number)
);
CREATE TABLE schema_version (
	version_num VARCHAR(32) NOT NULL,
	CONSTRAINT schema_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "schema_version" VALUES('1');
CREATE TABLE work (
	round INTEGER NOT NULL,
	case_id TEXT NOT NULL,
	reader TEXT NOT NULL,
	state TEXT NOT NULL,
	assigned BOOLEAN NOT NULL,
	difficulty INTEGER,
	seconds DOUBLE NOT NULL,
	version INTEGER NOT NULL,
	"by" TEXT NOT NULL,
	at DOUBLE,
	reason TEXT NOT NULL,
	note TEXT NOT NULL,
	changed BIGINT NOT NULL,
	PRIMARY KEY (round, case_id, reader)
);
INSERT INTO "work" VALUES(0,'case 1','Bob','submitted',0,NULL,0.0,1,'Bob',1700000000.0,'','',2);
CREATE INDEX log_of_cases ON log (case_id, number);
CREATE INDEX ix_people_changed ON people (changed);
CREATE INDEX ix_rounds_changed ON rounds (changed);
CREATE INDEX ix_work_changed ON work (changed);
CREATE INDEX ix_priorities_changed ON priorities (changed);
CREATE INDEX ix_comments_changed ON comments (changed);
CREATE INDEX ix_decisions_changed ON decisions (changed);
CREATE TRIGGER log_no_update BEFORE UPDATE ON log BEGIN SELECT RAISE(ABORT, 'rows of log are never changed or removed'); END;
CREATE TRIGGER log_no_delete BEFORE DELETE ON log BEGIN SELECT RAISE(ABORT, 'rows of log are never changed or removed'); END;
CREATE TRIGGER readings_no_update BEFORE UPDATE ON readings BEGIN SELECT RAISE(ABORT, 'rows of readings are never changed or removed'); END;
CREATE TRIGGER readings_no_delete BEFORE DELETE ON readings BEGIN SELECT RAISE(ABORT, 'rows of readings are never changed or removed'); END;
COMMIT;
