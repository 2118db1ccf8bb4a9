"""A pjsua2 telephone in a process of its own: orders by lines on stdin, reports on stdout.

    python -m tests.support.peers.pjsua2_phone SIP_PORT FOLDER [tls]
    > register sip:t1@127.0.0.1 sip:127.0.0.1:5060 t1 password
    < registered 200
    > call sip:15551000001@127.0.0.1:5060
    < talking
    > keys 1
    > hang_up
    < ended 200

With `tls` it signals over TLS with FOLDER/tls.crt, tls.key and authorities.pem, and takes and
offers SRTP only. It says FOLDER/tone.wav and writes what it hears to FOLDER/heard.wav. pjsua2 is
picky: what `getInfo` returns is held while its media are walked, and the process ends by
`os._exit`.
"""

import os
import select
import sys
from pathlib import Path
from typing import Any

import pjsua2 as pj  # type: ignore[import-untyped]  # it comes without types

EVENTS_MS = 20
CODEC = "PCMU/8000"


def report(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


class Call(pj.Call):  # type: ignore[misc]
    """One call; its sound is joined to the files as soon as there is any."""

    def __init__(self, phone: "Phone", call_id: int = pj.PJSUA_INVALID_ID) -> None:
        super().__init__(phone.account, call_id)
        self.phone = phone
        self.joined = False

    def onCallState(self, prm: Any) -> None:  # noqa: N802 - pjsua2's name
        info = self.getInfo()
        report("state", info.stateText)
        if info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            report("ended", info.lastStatusCode)

    def onCallMediaState(self, prm: Any) -> None:  # noqa: N802 - pjsua2's name
        info = self.getInfo()
        for index, media in enumerate(info.media):
            if media.type == pj.PJMEDIA_TYPE_AUDIO and self.getMedia(index) and not self.joined:
                self.joined = True
                audio = pj.AudioMedia.typecastFromMedia(self.getMedia(index))
                self.phone.player.startTransmit(audio)
                audio.startTransmit(self.phone.recorder)
                report("talking")


class Account(pj.Account):  # type: ignore[misc]
    """Registers, and picks up."""

    def __init__(self, phone: "Phone") -> None:
        super().__init__()
        self.phone = phone

    def onRegState(self, prm: Any) -> None:  # noqa: N802 - pjsua2's name
        report("registered", prm.code)

    def onIncomingCall(self, prm: Any) -> None:  # noqa: N802 - pjsua2's name
        report("incoming")
        call = Call(self.phone, prm.callId)
        self.phone.calls.append(call)
        for status in (180, 200):
            answer = pj.CallOpParam()
            answer.statusCode = status
            call.answer(answer)


class Phone:
    """The library, one account, the files."""

    def __init__(self, port: int, folder: Path, *, tls: bool = False) -> None:
        self.tls = tls
        self.endpoint = pj.Endpoint()
        self.endpoint.libCreate()
        config = pj.EpConfig()
        config.logConfig.level = 5 if tls else 3  # 5 writes every message down, keys too
        config.logConfig.consoleLevel = 0
        config.logConfig.filename = str(folder / "pjsua2.log")
        config.uaConfig.threadCnt = 0
        config.medConfig.noVad = True
        config.medConfig.ecTailLen = 0
        config.medConfig.clockRate = 8000
        self.endpoint.libInit(config)
        transport = pj.TransportConfig()
        transport.port = port
        transport.boundAddress = "127.0.0.1"
        if tls:
            transport.tlsConfig.CaListFile = str(folder / "authorities.pem")
            transport.tlsConfig.certFile = str(folder / "tls.crt")
            transport.tlsConfig.privKeyFile = str(folder / "tls.key")
            transport.tlsConfig.verifyServer = True
        kind = pj.PJSIP_TRANSPORT_TLS if tls else pj.PJSIP_TRANSPORT_UDP
        self.endpoint.transportCreate(kind, transport)
        self.endpoint.libStart()
        self.endpoint.audDevManager().setNullDev()
        for codec in self.endpoint.codecEnum2():
            self.endpoint.codecSetPriority(codec.codecId, 0)
        self.endpoint.codecSetPriority(CODEC, 255)
        self.player = pj.AudioMediaPlayer()
        self.player.createPlayer(str(folder / "tone.wav"))
        self.recorder = pj.AudioMediaRecorder()
        self.recorder.createRecorder(str(folder / "heard.wav"))
        self.account = Account(self)
        self.calls: list[Call] = []

    def obey(self, words: list[str]) -> bool:
        """Carry out an order; return whether it was the last."""
        match words:
            case ["register", own, registrar, user, password]:
                self.account.create(self._account(own, registrar, user, password))
            case ["wait", own]:
                self.account.create(self._account(own))
                report("waiting")
            case ["call", uri]:
                call = Call(self)
                self.calls.append(call)
                call.makeCall(uri, pj.CallOpParam(True))
            case ["keys", keys]:
                self.calls[-1].dialDtmf(keys)
            case ["hang_up"]:
                self.calls[-1].hangup(pj.CallOpParam())
            case _:
                return True
        return False

    def _account(
        self, own: str, registrar: str = "", user: str = "", password: str = ""
    ) -> pj.AccountConfig:
        config = pj.AccountConfig()
        config.idUri = own
        if registrar:
            config.regConfig.registrarUri = registrar
            config.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", user, 0, password))
        config.callConfig.prackUse = pj.PJSUA_100REL_OPTIONAL
        config.callConfig.timerUse = pj.PJSUA_SIP_TIMER_OPTIONAL
        if self.tls:
            config.mediaConfig.srtpUse = pj.PJMEDIA_SRTP_MANDATORY
            config.mediaConfig.srtpSecureSignaling = 1
        config.mediaConfig.transportConfig.boundAddress = "127.0.0.1"
        config.mediaConfig.transportConfig.publicAddress = "127.0.0.1"
        return config

    def run(self) -> None:
        """Obey until told to go."""
        while True:
            self.endpoint.libHandleEvents(EVENTS_MS)
            if select.select([sys.stdin], [], [], 0)[0]:
                line = sys.stdin.readline()
                if not line or self.obey(line.split()):
                    return


def main() -> None:
    """Run one telephone."""
    phone = Phone(int(sys.argv[1]), Path(sys.argv[2]), tls="tls" in sys.argv[3:])
    report("ready")
    phone.run()
    phone.calls.clear()
    del phone.player, phone.recorder
    phone.account.shutdown()
    phone.endpoint.libDestroy()
    report("gone")
    os._exit(0)


if __name__ == "__main__":
    main()
