"""Result codes of the Telit manual (80529ST10974A), 2.2.2.1, 2.2.2.2 and 2.2.3, as the model answers them.

    CME[3]                      "operation not allowed"         AT+CMEE=2; with 1 the number, with 0 plain ERROR
    CMS[321]                    "invalid memory index"          +CMS ERROR is always a number
    NUMERIC["CONNECT 9600"]     "12"                            ATV0

569 stands in the manual without a text. +CMS ERROR has two ranges beside its rows: 0 to 127 (TS 24.011) and 128 to 255
(TS 23.040).
"""


def _table(text):
    """{number: words} of "number words; number words"."""
    rows = [row.strip().partition(" ") for row in text.split(";")]
    return {int(row[0]): row[2] for row in rows}


CME = _table("""
0 phone failure; 1 no connection to phone; 2 phone adaptor link reserved; 3 operation not allowed; 4 operation not supported;
5 PH-SIM PIN required; 6 PH-FSIM PIN required; 7 PH-FSIM PUK required; 10 SIM not inserted; 11 SIM PIN required;
12 SIM PUK required; 13 SIM failure; 14 SIM busy; 15 SIM wrong; 16 incorrect password; 17 SIM PIN2 required;
18 SIM PUK2 required; 20 memory full; 21 invalid index; 22 not found; 23 memory failure; 24 text string too long;
25 invalid characters in text string; 26 dial string too long; 27 invalid characters in dial string; 30 no network service;
31 network timeout; 32 network not allowed - emergency calls only; 34 numeric parameter instead of text parameter;
35 text parameter instead of numeric parameter; 36 numeric parameter out of bounds; 37 text string too short;
38 The GPIO Pin is already used; 40 network personalization PIN required; 41 network personalization PUK required;
42 network subset personalization PIN required; 43 network subset personalization PUK required;
44 service provider personalization PIN required; 45 service provider personalization PUK required;
46 corporate personalization PIN required; 47 corporate personalization PUK required; 49 EAP method not supported;
50 Invalid EAP parameter; 51 Parameter length error for all Auth commands; 52 Temporary error for all Auth command;
53 not verified hidden key; 100 unknown; 103 Illegal MESSAGE; 106 Illegal ME; 107 GPRS services not allowed;
111 PLMN not allowed; 112 Location area not allowed; 113 Roaming not allowed in this location area;
132 service option not supported; 133 requested service option not subscribed; 134 service option temporarily out of order;
148 unspecified GPRS error; 149 PDP authentication failure; 150 invalid mobile class; 257 network rejected request;
258 retry operation; 259 invalid deflected to number; 260 deflected to own number; 261 unknown subscriber;
262 service not available; 263 unknown class; 264 unknown network message; 273 Minimum TFT per PDP address error;
274 Duplicate TFT eval prec index; 275 Invalid TFT param combination; 277 Invalid number of parameters; 278 Invalid Parameter;
320 Call index error; 321 Call state error; 322 Sys state error; 323 Parameters error; 550 generic undocumented error;
551 wrong state; 552 wrong mode; 553 context already activated; 554 stack already active; 555 activation failed;
556 context not opened; 557 can not setup socket; 558 can not resolve DN; 559 time-out in opening socket;
560 can not open socket; 561 remote disconnected or time-out; 562 connection failed; 563 tx error; 564 already listening;
565 socket disconnection; 566 can not resume socket; 567 ip version type incompatible; 568 ipv6 not enabled; 569;
600 Generic undocumented error; 601 wrong state; 602 Can not activate; 603 Can not resolve name;
604 Can not allocate control socket; 605 Can not connect control socket; 606 Bad or no response from server; 607 Not connected;
608 Already connected; 609 Context down; 612 Resource used by other instance; 613 Data socket yet opened in cmdmode;
614 FTP CmdMode data socket closed; 615 FTP not connected; 616 FTP disconnected; 617 FTP read command closed;
618 FTP read command error; 619 FTP write command closed; 620 FTP write command error; 621 FTP read data closed;
622 FTP read data error; 623 FTP write data closed; 624 FTP write data error; 625 FTP host not found; 626 FTP accept failure;
627 FTP listen failure; 628 FTP bind failure; 629 FTP file create failure; 630 FTP file get failure; 631 FTP file put failure;
632 FTP file not found; 633 FTP timed out; 634 FTP login incorrect; 635 FTP close error; 636 FTP server not ready;
637 FTP server shutdown; 638 FTP unexpected reply; 639 FTP user ID and password don't match;
640 FTP user ID and password don't match; 641 FTP user already logged in; 642 FTP open channel timeout;
643 FTP communication timeout; 644 FTP unknown error; 657 Network survey error (No Carrier); 658 Network survey error (Busy);
659 Network survey error (Wrong request); 660 Network survey error (Aborted); 680 LU processing; 681 Network search aborted;
682 PTM mode; 683 Network search terminated; 684 CSG Search processing; 690 Active call state; 691 RR connection established;
770 SIM invalid; 900 No Response for AT Command; 1000 SSL not activated; 1001 SSL certs and keys wrong or not stored;
1002 SSL generic error; 1003 SSL already activated; 1004 SSL error during handshake; 1005 SSL socket error;
1006 SSL invalid state; 1007 SSL cannot activate; 1008 SSL not connected; 1009 SSL already connected;
1010 SSL error enc/dec data; 1011 SSL disconnected; 1100 Model not recognized; 1101 Model information missing;
1102 Unable to open the file; 1103 Unable to close the file; 1104 Unable to read the nv file; 1105 Unable to write the nv file;
1106 Input pattern is wrong; 1113 Call establishment failed; 1114 File name already exist
""")

CMS = _table("""
300 ME failure; 301 SMS service of ME reserved; 302 operation not allowed; 303 operation not supported;
304 invalid PDU mode parameter; 305 invalid text mode parameter; 310 SIM not inserted; 311 SIM PIN required;
312 PH-SIM PIN required; 313 SIM failure; 314 SIM busy; 315 SIM wrong; 316 SIM PUK required; 317 SIM PIN2 required;
318 SIM PUK2 required; 320 memory failure; 321 invalid memory index; 322 memory full; 330 SMSC address unknown;
331 no network service; 332 network time-out; 340 no +CNMA acknowledgement expected; 500 unknown error; 510 msg blocked;
512 No SM resources; 513 TR1M timeout; 514 LL error; 515 No response from network
""")

NUMERIC = {"OK": "0", "CONNECT": "1", "RING": "2", "NO CARRIER": "3", "ERROR": "4", "NO DIALTONE": "6", "BUSY": "7",
           "NO ANSWER": "8", "CONNECT 2400": "10", "CONNECT 4800": "11", "CONNECT 9600": "12", "CONNECT 14400": "15",
           "CONNECT 1200/75": "23"}
