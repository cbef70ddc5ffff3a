BEGIN TRANSACTION;
CREATE TABLE entries (
            model TEXT NOT NULL REFERENCES models (id) ON DELETE CASCADE,
            version INTEGER NOT NULL,
            kind TEXT NOT NULL,
            step INTEGER NOT NULL,
            optimizer TEXT NOT NULL,
            details TEXT NOT NULL,
            fingerprint TEXT NOT NULL,
            total_seconds REAL NOT NULL,
            batch BLOB,
            segment TEXT,
            begin INTEGER,
            size INTEGER,
            PRIMARY KEY (model, version)
        );
INSERT INTO "entries" VALUES('2bda1875d2e355aab677a6293d83ade9',0,'created',0,'{"kind":"adam","config":{"learning_rate":0.01,"betas":[0.9,0.999],"eps":1e-08,"amsgrad":false,"weight_decay":0.0},"schedule":null,"clip":{}}','{"seed":0}','b1c23d73625fa1c180c6cde24f389bfb3b8db712fddd7335682ba8413cf47252',0.0,NULL,NULL,NULL,NULL);
INSERT INTO "entries" VALUES('2bda1875d2e355aab677a6293d83ade9',1,'step',1,'{"kind":"adam","config":{"learning_rate":0.01,"betas":[0.9,0.999],"eps":1e-08,"amsgrad":false,"weight_decay":0.0},"schedule":null,"clip":{}}','{"loss":0.7606548974411866,"gradient_norm":1.1603038438376847,"learning_rate":0.01,"reduction":"mean"}','b1c23d73625fa1c180c6cde24f389bfb3b8db712fddd7335682ba8413cf47252',1.17955899986554868519e-03,X'98000000000000007B225F5F6D657461646174615F5F223A7B226261746368223A227B7D227D2C22646174612F78223A7B226474797065223A22463634222C227368617065223A5B322C345D2C22646174615F6F666673657473223A5B302C36345D7D2C22646174612F79223A7B226474797065223A22493634222C227368617065223A5B325D2C22646174615F6F666673657473223A5B36342C38305D7D7D4184DB89ED17C03FCC45BDE9CFE8C0BF6DB068A4577EE43FF0D484ECBBDABA3FED43E6183424E1BFE6D1CE955F24D73F3C10BD262FDDF43FA3BC69BC7C4EEE3F01000000000000000100000000000000',NULL,NULL,NULL);
INSERT INTO "entries" VALUES('2bda1875d2e355aab677a6293d83ade9',2,'step',2,'{"kind":"adam","config":{"learning_rate":0.01,"betas":[0.9,0.999],"eps":1e-08,"amsgrad":false,"weight_decay":0.0},"schedule":null,"clip":{}}','{"loss":0.6480853442857262,"gradient_norm":1.0321397476607141,"learning_rate":0.01,"reduction":"mean"}','b1c23d73625fa1c180c6cde24f389bfb3b8db712fddd7335682ba8413cf47252',1.88428999899770133197e-03,X'98000000000000007B225F5F6D657461646174615F5F223A7B226261746368223A227B7D227D2C22646174612F78223A7B226474797065223A22463634222C227368617065223A5B322C345D2C22646174615F6F666673657473223A5B302C36345D7D2C22646174612F79223A7B226474797065223A22493634222C227368617065223A5B325D2C22646174615F6F666673657473223A5B36342C38305D7D7DA1B3BB280D1ED63F1F680422B24AEA3F0AFCE58CE125D53F0796B465BBD9F4BFF349D3DDACF8EC3F477184A76691DC3F75522B8DB82EE1BF226194FE8498E23F01000000000000000100000000000000',NULL,NULL,NULL);
INSERT INTO "entries" VALUES('2bda1875d2e355aab677a6293d83ade9',3,'step',3,'{"kind":"adam","config":{"learning_rate":0.01,"betas":[0.9,0.999],"eps":1e-08,"amsgrad":false,"weight_decay":0.0},"schedule":null,"clip":{}}','{"loss":1.2658062757508732,"gradient_norm":0.5383318458217715,"learning_rate":0.01,"reduction":"mean"}','b1c23d73625fa1c180c6cde24f389bfb3b8db712fddd7335682ba8413cf47252',2.62496399955125525593e-03,NULL,'9782dfcb2a11fa1f6673ea7a5720bef4',0,968);
INSERT INTO "entries" VALUES('2bda1875d2e355aab677a6293d83ade9',4,'restored',1,'{"kind":"adam","config":{"learning_rate":0.01,"betas":[0.9,0.999],"eps":1e-08,"amsgrad":false,"weight_decay":0.0},"schedule":null,"clip":{}}','{"from":1}','b1c23d73625fa1c180c6cde24f389bfb3b8db712fddd7335682ba8413cf47252',1.17955899986554868519e-03,NULL,NULL,NULL,NULL);
INSERT INTO "entries" VALUES('097b005f62547d77d66a5995087154cc',0,'created',0,'{"kind":"adam","config":{"learning_rate":0.01,"betas":[0.9,0.999],"eps":1e-08,"amsgrad":false,"weight_decay":0.0},"schedule":null,"clip":{}}','{"seed":0}','b1c23d73625fa1c180c6cde24f389bfb3b8db712fddd7335682ba8413cf47252',0.0,NULL,NULL,NULL,NULL);
CREATE TABLE idempotency_keys (
            owner TEXT NOT NULL,
            key TEXT NOT NULL,
            digest BLOB NOT NULL,
            model TEXT NOT NULL,
            answer TEXT NOT NULL,
            PRIMARY KEY (owner, key)
        ) WITHOUT ROWID;
INSERT INTO "idempotency_keys" VALUES('anna','0',X'6D6F64656C2030','2bda1875d2e355aab677a6293d83ade9','{"loss":0.7606548974411866,"gradient_norm":1.1603038438376847,"learning_rate":0.01,"version":1,"step":1,"durable":true,"replayed":false}');
INSERT INTO "idempotency_keys" VALUES('anna','1',X'6D6F64656C2031','2bda1875d2e355aab677a6293d83ade9','{"loss":0.6480853442857262,"gradient_norm":1.0321397476607141,"learning_rate":0.01,"version":2,"step":2,"durable":true,"replayed":false}');
CREATE TABLE models (
            id TEXT PRIMARY KEY,
            owner TEXT NOT NULL,
            name TEXT NOT NULL,
            network TEXT NOT NULL,
            dtype TEXT NOT NULL,
            lineage TEXT NOT NULL,
            version INTEGER NOT NULL,
            slot TEXT NOT NULL,
            stamp BLOB NOT NULL,
            UNIQUE (owner, name)
        );
INSERT INTO "models" VALUES('2bda1875d2e355aab677a6293d83ade9','anna','model','{"inputs":{"x":{"shape":[4]},"y":{"shape":[],"dtype":"int64"}},"nodes":[{"name":"hidden","kind":"linear","inputs":["x"],"config":{"units":8}},{"name":"active","kind":"tanh","inputs":["hidden"]},{"name":"scores","kind":"linear","inputs":["active"],"config":{"units":3}},{"name":"loss","kind":"softmax_nll","inputs":["scores","y"]}]}','float64','8ecc90e06638bce252f312527cb8e6ea',4,'1297d5608b5cfe9c13c48622f09384a3',X'A92A1FADFA17415DA194F50021856A2072AC3424FA76D427A517810D244973CE');
INSERT INTO "models" VALUES('097b005f62547d77d66a5995087154cc','anna','other','{"inputs":{"x":{"shape":[4]},"y":{"shape":[],"dtype":"int64"}},"nodes":[{"name":"hidden","kind":"linear","inputs":["x"],"config":{"units":8}},{"name":"active","kind":"tanh","inputs":["hidden"]},{"name":"scores","kind":"linear","inputs":["active"],"config":{"units":3}},{"name":"loss","kind":"softmax_nll","inputs":["scores","y"]}]}','float64','c27a454ba588e575c04292da7009a6cb',0,'a22254379d9b16d52bd441ed642aaf3c',X'A92A1FADFA17415DA194F50021856A2051863A350EBACC2A4C11ED2FAEF60599');
CREATE TABLE snapshots (
            model TEXT NOT NULL,
            version INTEGER NOT NULL,
            file TEXT NOT NULL,
            params_id TEXT NOT NULL,
            seconds REAL NOT NULL,
            total_seconds REAL NOT NULL,
            PRIMARY KEY (model, version),
            FOREIGN KEY (model, version) REFERENCES entries (model, version) ON DELETE CASCADE
        );
INSERT INTO "snapshots" VALUES('2bda1875d2e355aab677a6293d83ade9',0,'e322aa04ec837e4a9378f6f287032a4d.safetensors','216ed1134ffca198b157222926dcaa668076fb1c76f63ebb63da3ce70db3063d',2.48231330006092321127e-02,0.0);
INSERT INTO "snapshots" VALUES('2bda1875d2e355aab677a6293d83ade9',4,'b16db02a515a8b37420b6ee991433d81.safetensors','0d88f5c490cea15d4e2bb7f0c076267465a6ff9b7da08341fcfb542f112b3fa1',0.00627556999825174,1.17955899986554868519e-03);
INSERT INTO "snapshots" VALUES('097b005f62547d77d66a5995087154cc',0,'ddf4d76a7ca0f8e29565db5af7c80a3f.safetensors','216ed1134ffca198b157222926dcaa668076fb1c76f63ebb63da3ce70db3063d',8.58775799861177802085e-03,0.0);
COMMIT;
PRAGMA user_version = 1;
