-- Whether old values of settings may be kept here.
SELECT to_regclass('sidb.raised_setting') IS NOT NULL;
